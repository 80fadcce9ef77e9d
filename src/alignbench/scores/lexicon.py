"""Numbers the words of many responses, and looks up once what scores ask about a word."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from alignbench.scores.ngrams import Column, Ints, Vocabulary
from alignbench.scores.values import Mode


class Lexicon:
    """The words of one mode, numbered 0, 1, 2... in order of first appearance."""

    def __init__(self, mode: Mode, stem: Callable[[str], str]) -> None:
        self.mode = mode
        self._stem = stem
        self._vocabulary, self._stem_vocabulary = Vocabulary(), Vocabulary()
        self._is_stop, self._stems = Column(np.bool_), Column(np.int64)

    def numbers(self, text: str) -> Ints:
        """The numbers of a text's words in order."""
        return self._vocabulary.numbers(self.mode.words(text))

    @property
    def is_stop(self) -> NDArray[np.bool_]:
        """Of every word so far, whether it is a stop word."""
        new = self._since(self._is_stop)
        self._is_stop.append(np.array([word in self.mode.stop_words for word in new], np.bool_))
        return self._is_stop.values

    @property
    def stems(self) -> Ints:
        """Of every word so far, the number of its stem; equal numbers for equal stems."""
        self._stems.append(self._stem_vocabulary.numbers(map(self._stem, self._since(self._stems))))
        return self._stems.values

    def _since(self, column: Column) -> list[str]:
        """The words that a column does not have yet."""
        return list(islice(self._vocabulary, len(column), None))
