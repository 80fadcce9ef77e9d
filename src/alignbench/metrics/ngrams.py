"""Word n-grams of a growing set of responses as dense numbers, so that scores count them in arrays.

An n-gram is numbered by the pair (number of its first n - 1 words, number of its last word), packed in 64 bits: exact,
without hashing whole n-grams.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.values import Response

Ints = NDArray[np.int64]


class Vocabulary(dict[str, int]):
    """Numbers words 0, 1, 2... in order of first appearance."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number

    def numbers(self, words: Iterable[str]) -> Ints:
        return np.fromiter(map(self.__getitem__, words), np.int64)


@dataclass(frozen=True, slots=True)
class Bag:
    """The different n-grams of one response: their numbers and how often each occurs, arrays of one length."""

    numbers: Ints
    counts: Ints

    @property
    def total(self) -> int:
        return int(self.counts.sum())


class NgramIndex:
    """Numbers the n-grams of one set of responses, for each order 0, 1, 2... in order of arrival.

    A set's scores share one index, so that each response is numbered once.
    """

    __slots__ = ("_bags", "_last", "_numberings", "_sequences", "_vocabulary")

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._numberings: dict[int, _Numbering] = {}
        self._last: Response | None = None  # the response that the two below are of
        self._sequences: dict[int, Ints] = {}
        self._bags: dict[int, Bag] = {}

    def n_distinct(self, order: int) -> int:
        """Different n-grams of this order among the responses whose `bag` or `sequence` of this order was taken."""
        if order == 1:
            return len(self._vocabulary)
        return len(self._numberings[order]) if order in self._numberings else 0

    def sequence(self, response: Response) -> Ints:
        """The numbers of a response's words, in order."""
        self._take_up(response)
        return self._sequence(response, 1)

    def bag(self, response: Response, order: int) -> Bag:
        """The n-grams of a response, stop words included."""
        self._take_up(response)
        if order not in self._bags:
            self._sequence(response, order)
            if order == 1:
                self._bags[1] = Bag(*np.unique_counts(self._sequences[1]))
        return self._bags[order]

    def _take_up(self, response: Response) -> None:
        if response is not self._last:
            self._last = response
            self._sequences, self._bags = {}, {}

    def _sequence(self, response: Response, order: int) -> Ints:
        if order in self._sequences:
            return self._sequences[order]
        if order == 1:
            sequence = self._vocabulary.numbers(response.words)
        else:
            first = self._sequence(response, order - 1)[:-1]
            last = self._sequence(response, 1)[order - 1 :]
            keys, inverse, counts = np.unique((first << 32) | last, return_inverse=True, return_counts=True)
            numbers = self._numberings.setdefault(order, _Numbering()).of(keys)
            self._bags[order] = Bag(numbers, counts)
            sequence = numbers[inverse]
        self._sequences[order] = sequence
        return sequence


def stable_order(keys: Ints) -> Ints:
    """np.argsort(keys, kind="stable") of keys from 0 up, several times as fast for keys that leave room beneath them.

    numpy sorts plain integers with vector instructions, so each key is sorted with its place in its lower bits.
    """
    bits = len(keys).bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > 63:
        return np.argsort(keys, kind="stable")
    return np.sort(keys << bits | np.arange(len(keys))) & ((1 << bits) - 1)


def is_first(keys: Ints) -> NDArray[np.bool_]:
    """Of each of some sorted keys, whether it differs from the one before it."""
    first = np.empty(len(keys), np.bool_)
    first[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return first


class _Numbering:
    """Dense numbers of 64-bit keys in two sorted arrays: a tenth of the memory of a dict."""

    __slots__ = ("_keys", "_numbers")

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)
        self._numbers = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, keys: Ints) -> Ints:
        """The numbers of ascending, different keys; new ones get the next free numbers."""
        n = len(self)
        at = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        inside = at < n
        known[inside] = self._keys[at[inside]] == keys[inside]
        numbers = np.empty(len(keys), np.int64)
        numbers[known] = self._numbers[at[known]]
        new = ~known
        n_new = int(new.sum())
        if n_new:
            numbers[new] = np.arange(n, n + n_new)
            places = at[new] + np.arange(n_new)
            old = np.ones(n + n_new, bool)
            old[places] = False
            self._keys = _merged(self._keys, keys[new], old, places)
            self._numbers = _merged(self._numbers, numbers[new], old, places)
        return numbers


def _merged(kept: Ints, new: Ints, old: NDArray[np.bool_], places: Ints) -> Ints:
    merged = np.empty(len(old), np.int64)
    merged[old] = kept
    merged[places] = new
    return merged


class GrowingArray:
    """An array that grows at its end, at amortized constant cost."""

    __slots__ = ("_array", "_n")

    def __init__(self, dtype: Any) -> None:
        self._array = np.zeros(64, dtype)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, values: NDArray[Any]) -> None:
        n = self._n
        self.grow(n + len(values))
        self._array[n : self._n] = values

    def grow(self, n: int) -> None:
        """Zeros at the end until there are n entries."""
        if n > len(self._array):
            larger = np.zeros(max(n, 2 * len(self._array)), self._array.dtype)
            larger[: self._n] = self._array[: self._n]
            self._array = larger
        self._n = max(self._n, n)

    @property
    def values(self) -> NDArray[Any]:
        """A view, good until the array grows."""
        return self._array[: self._n]


class BagProducts:
    """Dot products of a new bag's counts with those of all bags before it: O(all entries), in one pass."""

    __slots__ = ("_counts", "_numbers", "_owners", "n")

    def __init__(self) -> None:
        self.n = 0
        self._numbers = GrowingArray(np.int32)
        self._counts = GrowingArray(np.int32)
        self._owners = GrowingArray(np.int32)

    def add(self, bag: Bag, n_distinct: int) -> Floats:
        """The products (n,) with the n earlier bags, in order of arrival; whole numbers. n_distinct: of the index."""
        counts = np.zeros(n_distinct, np.int32)
        counts[bag.numbers] = bag.counts
        weights = counts[self._numbers.values] * self._counts.values
        products = np.bincount(self._owners.values, weights, minlength=self.n).astype(np.float64)
        self._numbers.append(bag.numbers)
        self._counts.append(bag.counts)
        self._owners.append(np.full(len(bag.numbers), self.n))
        self.n += 1
        return products
