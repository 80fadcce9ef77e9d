"""Scores over words: length, lexical similarity, distinct n-grams. All of them grow by one response at a time."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from alignbench.scores.values import PairMean, Response, Value, too_few


def jaccard(a: frozenset[str], b: frozenset[str]) -> float | None:
    """|A n B| / |A u B|, from 0 (nothing shared) to 1 (equal sets); None for two empty sets (Jaccard 1912)."""
    shared = len(a & b)
    union = len(a) + len(b) - shared
    return shared / union if union else None


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
        n = self._n
        if n == 0:
            return Value(None, 0, too_few(1, 0))
        # The sums are whole numbers, so the difference below is exact.
        sd = math.sqrt((n * self._squares - self._total**2) / (n * (n - 1))) if n > 1 else None
        return Value(self._total / n, n, sd=sd)


class WordSets:
    """Sets of words under an index of who has which word, so that a new set meets all of them in one pass."""

    __slots__ = ("_holders", "_sets", "_sizes")

    def __init__(self) -> None:
        self._sets: list[tuple[str, ...]] = []
        self._sizes: list[int] = []
        # Word -> positions of the sets that have it, four bytes each: lists would keep the garbage collector busy.
        self._holders: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, position: int) -> tuple[str, ...]:
        return self._sets[position]

    def add(self, words: Collection[str]) -> None:
        """Add a set (no word twice)."""
        position = np.uint32(len(self._sets)).tobytes()
        for word in words:
            self._holders[word] = self._holders.get(word, b"") + position
        self._sets.append(tuple(words))
        self._sizes.append(len(words))

    def similarities(self, words: Collection[str], first: int | None = None) -> list[float | None]:
        """Jaccard similarity of a set of words to each of the first `first` sets, by default to all; see `jaccard`."""
        n = len(self) if first is None else first
        held = b"".join([self._holders.get(word, b"") for word in words])
        shared = np.bincount(np.frombuffer(held, np.uint32), minlength=n)[:n].tolist()
        unions = (size + len(words) - both for size, both in zip(self._sizes[:n], shared, strict=True))
        return [both / union if union else None for both, union in zip(shared, unions, strict=True)]


class LexicalSimilarity:
    """Mean Jaccard similarity over pairs of different responses, of their sets of content words.

    From 0 to 1, lower is more diverse. O(n) for the n-th response.
    """

    __slots__ = ("pairs", "sets")

    def __init__(self) -> None:
        self.sets = WordSets()
        self.pairs = PairMean()

    def add(self, response: Response) -> None:
        self.pairs.add(self.sets.similarities(response.content))
        self.sets.add(response.content)

    def value(self) -> Value:
        n, pairs = len(self.sets), self.pairs
        if n < 2:
            return Value(None, n, too_few(2, n))
        reason = "" if pairs.n else jaccard_reason(pairs.skipped)
        return Value(pairs.mean, n, reason, skipped=pairs.skipped)


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


class Distinct:
    """Distinct-n: different word n-grams over all n-grams of the set (Li et al. 2016, arXiv 1510.03055).

    Over 0 up to 1, higher is more diverse. N-grams stay inside a response; stop words count. It falls as the set
    grows, so compare it only at equal n.
    """

    __slots__ = ("_n", "_order", "_seen", "_total")

    def __init__(self, order: int) -> None:
        self._order = order
        self._seen: set[tuple[str, ...]] = set()
        self._total = 0
        self._n = 0

    def add(self, response: Response) -> None:
        words = response.words
        grams = list(zip(*(words[i:] for i in range(self._order)), strict=False))
        self._seen.update(grams)
        self._total += len(grams)
        self._n += 1

    def value(self) -> Value:
        if self._n == 0:
            return Value(None, 0, too_few(1, 0))
        if not self._total:
            return Value(None, self._n, f"no response has {self._order} words")
        return Value(len(self._seen) / self._total, self._n)
