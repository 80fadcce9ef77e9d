"""Word n-grams of a finished set of responses, all counted at once: for each order one sort of numbers.

The same counts as those that `ngrams` keeps for a set that grows, at a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.ngrams import Ints, is_first, stable_order


@dataclass(frozen=True)
class NgramTable:
    """Who has which n-gram how often: an entry for each n-gram of each of n responses, ordered by n-gram."""

    grams: Ints  # number of each entry's n-gram, 0, 1, 2... ascending
    owners: Ints  # the response of each
    counts: Ints  # how often it has it
    n_distinct: int  # different n-grams
    n: int  # responses

    @cached_property
    def total(self) -> int:
        """N-grams of all responses."""
        return int(self.counts.sum())

    @cached_property
    def repeats(self) -> Floats:
        """(n,) sums over a response's n-grams of (count in the whole set - 1)."""
        everywhere = np.bincount(self.grams, self.counts, minlength=self.n_distinct)
        return self._sums(self.counts * (everywhere[self.grams] - 1.0))

    @cached_property
    def norms(self) -> Floats:
        """(n,) lengths of the vectors of counts."""
        return np.sqrt(self._sums(self.counts**2))

    @cached_property
    def products(self) -> Floats:
        """(n, n) dot products of the vectors of counts, but for the diagonal."""
        columns, owners, counts = self._shared
        vectors = np.zeros((self.n, int(columns.max(initial=-1)) + 1))
        vectors[owners, columns] = counts
        return vectors @ vectors.T

    @cached_property
    def clipped_matches(self) -> Floats:
        """(n,) sums over a response's n-grams of its count, at most the largest count of another response."""
        columns, owners, counts = self._shared
        if not len(columns):
            return np.zeros(self.n)
        starts = np.flatnonzero(is_first(columns))
        is_largest = counts == np.maximum.reduceat(counts, starts)[columns]
        alone = is_largest & (np.bincount(columns, is_largest)[columns] == 1)
        second = np.maximum.reduceat(np.where(alone, 0, counts), starts)
        return np.bincount(owners, np.where(alone, second[columns], counts), minlength=self.n).astype(np.float64)

    @cached_property
    def _shared(self) -> tuple[Ints, Ints, Ints]:
        """The entries of the n-grams that two responses or more have, these numbered anew; owners; counts."""
        holders = np.bincount(self.grams, minlength=self.n_distinct)
        several = holders > 1
        keep = several[self.grams]
        return (np.cumsum(several) - 1)[self.grams[keep]], self.owners[keep], self.counts[keep]

    def _sums(self, values: NDArray[np.generic]) -> Floats:
        return np.bincount(self.owners, values, minlength=self.n).astype(np.float64)


class NgramTables:
    """The tables of one set by order, each made when it is first asked for."""

    def __init__(self, sequences: Sequence[Ints]) -> None:
        """sequences: of each response the numbers of its words."""
        self.words: Ints = np.concatenate(sequences) if sequences else np.empty(0, np.int64)
        self.lengths = np.array([len(sequence) for sequence in sequences], np.int64)
        self.owners = np.repeat(np.arange(len(sequences)), self.lengths)
        self._to_end = np.repeat(np.cumsum(self.lengths), self.lengths) - np.arange(len(self.words))
        self._tables: dict[int, NgramTable] = {}
        self._numbers: dict[int, Ints] = {}  # of the n-gram that begins at each word, where one does

    def table(self, order: int) -> NgramTable:
        if order not in self._tables:
            self._count(order)
        return self._tables[order]

    def begins(self, order: int) -> tuple[Ints, Ints]:
        """Where the n-grams of an order begin, as places in `words`, and the number of each, as `table` has them."""
        self.table(order)
        places = np.flatnonzero(self._to_end >= order)
        return places, self._numbers[order][places]

    def _count(self, order: int) -> None:
        if order == 1:
            places, keys = np.arange(len(self.words)), self.words
        else:
            self.table(order - 1)
            places = np.flatnonzero(self._to_end >= order)
            # An n-gram is its first n - 1 words and its last one.
            last = self._numbers[1][places + order - 1]
            keys = self._numbers[order - 1][places] * self.table(1).n_distinct + last
        sorting = stable_order(keys)
        owners, keys = self.owners[places[sorting]], keys[sorting]
        new_gram = is_first(keys)
        grams = np.cumsum(new_gram) - 1
        numbers = np.empty(len(self.words), np.int64)
        numbers[places[sorting]] = grams
        self._numbers[order] = numbers
        starts = np.flatnonzero(new_gram | is_first(owners))
        self._tables[order] = NgramTable(
            grams=grams[starts],
            owners=owners[starts],
            counts=np.diff(np.append(starts, len(keys))),
            n_distinct=int(new_gram.sum()),
            n=len(self.lengths),
        )
