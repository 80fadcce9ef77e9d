"""Responses that can be cut to any number of words: longer ones share more words by chance.

A cut draws whole sentences at random, the last one only in part, and keeps them in their order. A text draws its
sentences in one order, whatever the length, so a shorter cut is part of a longer one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.sentences import sentences


@dataclass(frozen=True, slots=True)
class CutText:
    """A response whose sentences were put in the order in which they are drawn.

    Attributes:
        words: (n,) the numbers of its words, in the order of the text.
        draws: (n,) when each of them is drawn, 0 to n - 1: a cut to w words has those under w.
    """

    words: Ints
    draws: Ints

    @classmethod
    def of(cls, text: str, lexicon: Lexicon, seed: int) -> Self:
        """The order depends on the seed and on the text alone, so equal texts are cut alike."""
        pieces = [numbers for piece in sentences(text) if len(numbers := lexicon.numbers(piece))]
        lengths = np.array([len(piece) for piece in pieces], np.int64)
        order = _generator(text, seed).permutation(len(pieces))
        starts = np.empty_like(lengths)
        starts[order] = np.cumsum(lengths[order]) - lengths[order]
        places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        words = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
        return cls(words, np.repeat(starts, lengths) + places)

    def __len__(self) -> int:
        return len(self.words)


class CutTexts:
    """The n responses to a prompt, and what cuts of them are compared by.

    Attributes:
        texts: the responses.
        lengths: (n,) of each, in words.
        words: (N,) of all of them, one after the other.
    """

    def __init__(self, texts: Sequence[CutText], lexicon: Lexicon) -> None:
        self.texts, self._lexicon = texts, lexicon
        self.lengths = np.array([len(text) for text in texts], np.int64)
        self.words: Ints = np.concatenate([np.empty(0, np.int64), *(text.words for text in texts)])

    @property
    def n(self) -> int:
        return len(self.texts)

    @cached_property
    def content(self) -> tuple[Ints, Ints, Ints]:
        """The words that are no stop words: their numbers, which response each is in, when it is drawn."""
        draws = np.concatenate([np.empty(0, np.int64), *(text.draws for text in self.texts)])
        keep = ~self.is_stop[self.words]
        return self.words[keep], np.repeat(np.arange(self.n), self.lengths)[keep], draws[keep]

    @property
    def is_stop(self) -> NDArray[np.bool_]:
        """Of every word number."""
        return self._lexicon.is_stop

    def stems(self, words: Ints) -> Ints:
        """Equal numbers for words of one stem."""
        return self._lexicon.stems[words]


CutSimilarity = Callable[[Ints, Ints, Ints], Floats]
"""Similarities (k,) of the responses of two arrays (k,) of indices, pair by pair, both cut to as many words as a third
array (k,) says; NaN for a pair that has none."""


def cuts_of(texts: CutTexts, first: Ints, second: Ints, words: Ints) -> tuple[list[Ints], Ints, Ints]:
    """Each cut that pairs need, once: its words in their order; and of each pair the places of its two cuts there."""
    most = int(words.max(initial=0)) + 1
    keys, places = np.unique(
        np.concatenate([first, second]) * most + np.concatenate([words, words]), return_inverse=True
    )
    cuts = []
    for text, n_words in zip(*(part.tolist() for part in np.divmod(keys, most)), strict=True):
        of = texts.texts[text]
        cuts.append(of.words[of.draws < n_words])
    return cuts, places[: len(first)], places[len(first) :]


def _generator(text: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
