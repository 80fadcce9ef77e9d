"""Numbers the words of many responses, and looks up once what scores ask about a word."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.ngrams import GrowingArray, Ints, Vocabulary
from alignbench.metrics.values import WordMode

_LONGEST = 20  # characters of a piece on average: scripts without spaces have pieces that never come again


class Lexicon:
    """The words of one mode, numbered 0, 1, 2... in order of first appearance."""

    def __init__(self, mode: WordMode, stem: Callable[[str], str]) -> None:
        self.mode = mode
        self._stem = stem
        self._vocabulary, self._stem_vocabulary = Vocabulary(), Vocabulary()
        self._pieces = _Pieces(self._read)
        self._is_stop, self._stems = GrowingArray(np.bool_), GrowingArray(np.int64)

    def numbers(self, text: str) -> Ints:
        """The numbers of a text's words in order."""
        if self.mode.piecewise:
            pieces = text.split()
            if len(text) <= _LONGEST * len(pieces):
                return self._pieces.numbers(pieces)
        return self._read(text)

    def _read(self, text: str) -> Ints:
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

    def _since(self, column: GrowingArray) -> list[str]:
        """The words that a column does not have yet, read from the last one back: most of the time there are few."""
        last = islice(reversed(self._vocabulary), len(self._vocabulary) - len(column))
        return [*last][::-1]


class _Pieces(dict[str, int]):
    """What stands between white space is read once, however often it comes.

    A piece that is one word, as nearly all are, has the word's number; any other has -1, -2, ..., by the place of its
    words in a list.
    """

    def __init__(self, read: Callable[[str], Ints]) -> None:
        super().__init__()
        self._read = read
        self._others: list[Ints] = []

    def __missing__(self, piece: str) -> int:
        numbers_of_words = self._read(piece)
        if len(numbers_of_words) == 1:
            number = int(numbers_of_words[0])
        else:
            self._others.append(numbers_of_words)
            number = -len(self._others)
        self[piece] = number
        return number

    def numbers(self, pieces: list[str]) -> Ints:
        """The numbers of the words of pieces in order."""
        known = np.fromiter(map(self.__getitem__, pieces), np.int64, len(pieces))
        at = np.flatnonzero(known < 0)
        if not len(at):
            return known
        others = [self._others[-1 - number] for number in known[at].tolist()]
        lengths = np.ones(len(known), np.int64)
        lengths[at] = [len(other) for other in others]
        numbers = np.repeat(known, lengths)
        for end, other in zip(np.cumsum(lengths)[at].tolist(), others, strict=True):
            numbers[end - len(other) : end] = other
        return numbers
