"""Scores over words: length and lexical similarity. All of them grow by one response at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Set

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.values import CrossScore, PairMean, PairSimilarity, Response, Value, mean_of_pairs, too_few

Floats = NDArray[np.float64]

TermsOf = Callable[[Response], Collection[Hashable]]
"""What a response is a set of: content words, say; no term twice."""


def jaccard(a: Set[Hashable], b: Set[Hashable]) -> float | None:
    """|A n B| / |A u B|, from 0 (nothing shared) to 1 (equal sets); None for two empty sets (Jaccard 1912)."""
    similarity = float(jaccards(len(a & b), len(a), len(b)))
    return None if math.isnan(similarity) else similarity


def jaccards(shared: ArrayLike, size: ArrayLike, other: ArrayLike) -> Floats:
    """`jaccard` of many pairs from numbers of words: shared, of the one and of the other; NaN for two empty sets."""
    both = np.asarray(shared, np.float64)
    unions = np.asarray(size, np.float64) + np.asarray(other, np.float64) - both
    similarities: Floats = np.divide(both, unions, out=np.full(unions.shape, np.nan), where=unions > 0.0)
    return similarities


def jaccard_reason(n_pairs: int) -> str:
    """Why a mean over `n_pairs` pairs of word sets, all of them skipped, is null."""
    return f"no content words in either response of {n_pairs} pair{'s' if n_pairs != 1 else ''}"


class Length:
    """Mean and standard deviation of the number of words a response has; an empty response has 0."""

    __slots__ = ("_n", "_squares", "_total")

    def __init__(self) -> None:
        self._n = self._total = self._squares = 0

    def add(self, response: Response) -> None:
        length = len(response.words)
        self._n += 1
        self._total += length
        self._squares += length * length

    def value(self) -> Value:
        return mean_length(self._n, self._total, self._squares)


def mean_length(n: int, total: int, squares: int) -> Value:
    """Mean and standard deviation of n lengths from their sum and the sum of their squares."""
    if n == 0:
        return Value(None, 0, too_few(1, 0))
    # The sums are whole numbers, so the difference below is exact.
    sd = math.sqrt((n * squares - total**2) / (n * (n - 1))) if n > 1 else None
    return Value(total / n, n, sd=sd)


class WordSets:
    """Sets of words under an index of who has which word, so that a new set meets all of them in one pass."""

    __slots__ = ("_holders", "_sets", "_sizes")

    def __init__(self) -> None:
        self._sets: list[tuple[Hashable, ...]] = []
        self._sizes: list[int] = []
        # Word -> positions of the sets that have it, four bytes each: lists would keep the garbage collector busy.
        self._holders: dict[Hashable, bytes] = {}

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, position: int) -> tuple[Hashable, ...]:
        return self._sets[position]

    def add(self, words: Collection[Hashable]) -> Floats:
        """Add a set (no word twice); its similarities to the sets before it, see `jaccards`."""
        held = [self._holders.get(word, b"") for word in words]
        position = np.uint32(len(self._sets)).tobytes()
        self._holders.update(zip(words, [holders + position for holders in held], strict=True))
        similarities = self._similarities(len(words), held, len(self))
        self._sets.append(tuple(words))
        self._sizes.append(len(words))
        return similarities

    def similarities(self, words: Collection[Hashable], first: int | None = None) -> Floats:
        """Jaccard similarity of a set of words to each of the first `first` sets, by default to all; see `jaccards`."""
        held = [self._holders.get(word, b"") for word in words]
        return self._similarities(len(words), held, len(self) if first is None else first)

    def _similarities(self, size: int, held: list[bytes], n: int) -> Floats:
        shared = np.bincount(np.frombuffer(b"".join(held), np.uint32), minlength=n)[:n]
        return jaccards(shared, size, self._sizes[:n])


def content(response: Response) -> frozenset[str]:
    """The set of its words without stop words."""
    return response.content


def content_ngrams(order: int) -> TermsOf:
    """The n-grams of the words that are left when stop words are out."""

    def ngrams(response: Response) -> frozenset[Hashable]:
        words = response.content_words
        return frozenset(zip(*(words[i:] for i in range(order)), strict=False))

    return ngrams


def content_stems(stem: Callable[[str], str]) -> TermsOf:
    """The stems of its words without stop words."""

    def stems(response: Response) -> frozenset[Hashable]:
        return frozenset(map(stem, response.content))

    return stems


class LexicalSimilarity:
    """Mean Jaccard similarity over pairs of different responses, by default of their sets of content words.

    From 0 to 1, lower is more diverse. O(n) for the n-th response.
    """

    __slots__ = ("_terms", "pairs", "sets")

    def __init__(self, terms: TermsOf = content) -> None:
        self._terms = terms
        self.sets = WordSets()
        self.pairs = PairMean()

    def add(self, response: Response) -> None:
        self.pairs.add(self.sets.add(self._terms(response)))

    def value(self) -> Value:
        return mean_of_pairs(len(self.sets), self.pairs, self.no_pairs)

    def no_pairs(self, n_pairs: int) -> str:
        return jaccard_reason(n_pairs)

    def against(self, other: PairSimilarity) -> CrossScore:
        assert isinstance(other, LexicalSimilarity)
        return CrossLexicalSimilarity(self.sets, other.sets)


class CrossLexicalSimilarity:
    """Mean Jaccard similarity over all pairs (a of the one, b of the other) of two collections that may still grow."""

    __slots__ = ("_a", "_b", "_n_a", "_n_b", "_pairs")

    def __init__(self, a: WordSets, b: WordSets) -> None:
        self._a, self._b = a, b
        self._n_a = self._n_b = 0  # of each, how many the pairs below hold
        self._pairs = PairMean()

    def pairs(self) -> PairMean:
        """Over all that is there now: O(n) for each set that is new since the last call."""
        while self._n_a < len(self._a):
            self._pairs.add(self._b.similarities(self._a[self._n_a], self._n_b))
            self._n_a += 1
        while self._n_b < len(self._b):
            self._pairs.add(self._a.similarities(self._b[self._n_b], self._n_a))
            self._n_b += 1
        return self._pairs
