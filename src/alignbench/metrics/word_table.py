"""The words of all responses of a prompt, as numbers: what similarities between them are counted from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.values import Response, WordMode
from alignbench.metrics.words import is_empty


@dataclass(frozen=True, slots=True)
class Documents:
    """The responses of one cell. texts: by sample index. words: of each, in that order, the numbers of its words."""

    texts: Mapping[int, str]
    words: tuple[Ints, ...]

    @classmethod
    def of(cls, texts: Mapping[int, str], lexicon: Lexicon) -> Documents:
        return cls(texts, tuple([lexicon.numbers(text) for text in texts.values()]))

    def part(self, samples: Collection[int]) -> Documents:
        """Some of its responses, in its order; itself for all of them."""
        if len(samples) == len(self.texts):
            return self
        there = [
            (sample, text, words)
            for (sample, text), words in zip(self.texts.items(), self.words, strict=True)
            if sample in samples
        ]
        return Documents({sample: text for sample, text, _ in there}, tuple([words for _, _, words in there]))

    def compared(self, mode: WordMode) -> Documents:
        """Those that scores compare: without the empty ones, unless the mode compares these too."""
        return self if mode.scores_empty else self.part([s for s, text in self.texts.items() if not is_empty(text)])


class WordTable:
    """The n responses of some cells, one after the other.

    Attributes:
        n: responses.
        words: (N,) numbers of the words of all of them.
        owners: (N,) which response each word is in.
    """

    def __init__(self, cells: Sequence[Documents], lexicon: Lexicon) -> None:
        sequences = [words for cell in cells for words in cell.words]
        self._cells, self._lexicon = cells, lexicon
        self.n = len(sequences)
        self.words: Ints = np.concatenate(sequences) if sequences else np.empty(0, np.int64)
        self.owners = np.repeat(np.arange(self.n), [len(words) for words in sequences])

    @cached_property
    def responses(self) -> list[Response]:
        mode = self._lexicon.mode
        return [Response(sample, text, mode) for cell in self._cells for sample, text in cell.texts.items()]

    @cached_property
    def content(self) -> tuple[Ints, Ints]:
        """The words that are no stop words, and their owners."""
        keep = ~self._lexicon.is_stop[self.words]
        return self.words[keep], self.owners[keep]

    def stems(self, words: Ints) -> Ints:
        """Equal numbers for words of one stem."""
        return self._lexicon.stems[words]
