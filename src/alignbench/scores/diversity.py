"""How little a set of responses repeats its n-grams and words. All of it grows by one response at a time."""

from __future__ import annotations

import math

import numpy as np

from alignbench.scores.ngrams import BagProducts, Column, NgramIndex
from alignbench.scores.values import Response, Value, too_few

EAD_VOCABULARY = 32_000  # V of expectation-adjusted distinct: one number for all models, that of Llama 2's tokenizer
MATTR_WINDOW = 50
NGRAM_DIVERSITY_ORDERS = (1, 2, 3, 4)
SELF_REPETITION_ORDER = 4


class Distinct:
    """Distinct-n: different word n-grams over all n-grams of the set (Li et al. 2016, arXiv 1510.03055).

    Over 0 up to 1, higher is more diverse. N-grams stay inside a response; stop words count. It falls as the set
    grows, so compare it only at equal n.
    """

    __slots__ = ("_index", "_n", "_order", "_total")

    def __init__(self, order: int, index: NgramIndex | None = None) -> None:
        """index: shared by the scores of one set; every response of the set goes to every score."""
        self._index = NgramIndex() if index is None else index
        self._order = order
        self._n = self._total = 0

    def add(self, response: Response) -> None:
        self._index.bag(response, self._order)
        self._total += max(0, len(response.words) - self._order + 1)
        self._n += 1

    def value(self) -> Value:
        if self._n == 0:
            return Value(None, 0, too_few(1, 0))
        if not self._total:
            return Value(None, self._n, _no_ngrams(self._order))
        return Value(self._index.n_distinct(self._order) / self._total, self._n)


class ExpectationAdjustedDistinct:
    """EAD-1: different words over the number expected of C random draws from V words (Liu et al. 2022, 2202.13587).

    D / (V (1 - ((V - 1) / V)^C)) for D different words among C; over 0, about 1 for words drawn at random, higher is
    more diverse. Less bound to length than distinct-1. V is a constant of the score, not a model's vocabulary.
    """

    __slots__ = ("_index", "_n", "_total", "_vocabulary")

    def __init__(self, index: NgramIndex | None = None, vocabulary: int = EAD_VOCABULARY) -> None:
        self._index = NgramIndex() if index is None else index
        self._vocabulary = vocabulary
        self._n = self._total = 0

    def add(self, response: Response) -> None:
        self._index.sequence(response)
        self._total += len(response.words)
        self._n += 1

    def value(self) -> Value:
        if self._n == 0:
            return Value(None, 0, too_few(1, 0))
        if not self._total:
            return Value(None, self._n, _no_ngrams(1))
        expected = -self._vocabulary * math.expm1(self._total * math.log1p(-1 / self._vocabulary))
        return Value(self._index.n_distinct(1) / expected, self._n)


class NgramDiversity:
    """Sum over n = 1..4 of distinct-n (Padmakumar and He 2024, arXiv 2309.05196; Shaib et al. 2024, 2403.00553).

    Over 0 up to 4, higher is more diverse. N-grams stay inside a response. It falls as the set grows.
    """

    __slots__ = ("_parts",)

    def __init__(self, index: NgramIndex | None = None) -> None:
        shared = NgramIndex() if index is None else index
        self._parts = [Distinct(order, shared) for order in NGRAM_DIVERSITY_ORDERS]

    def add(self, response: Response) -> None:
        for part in self._parts:
            part.add(response)

    def value(self) -> Value:
        parts = [part.value() for part in self._parts]
        there = [part.value for part in parts if part.value is not None]
        if len(there) < len(parts):
            return parts[-1]  # who has 4-grams has the shorter ones
        return Value(math.fsum(there), parts[-1].n)


class SelfRepetition:
    """Mean over responses of ln(1 + sum over its 4-grams of (count in the whole set - 1)).

    After Salkar et al. 2022 (2022.aacl-short.42). From 0, lower is more diverse; it rises as the set grows. Each
    occurrence of a 4-gram counts, inside its own response too; a response under four words adds 0.
    """

    __slots__ = ("_index", "_products", "_repeats", "_total")

    def __init__(self, index: NgramIndex | None = None) -> None:
        self._index = NgramIndex() if index is None else index
        self._products = BagProducts()
        # Of each response: sum over its 4-grams of (count - 1), that is its products with all responses, less its own
        # number of 4-grams.
        self._repeats = Column(np.float64)
        self._total = 0

    def add(self, response: Response) -> None:
        bag = self._index.bag(response, SELF_REPETITION_ORDER)
        shared = self._products.add(bag, self._index.n_distinct(SELF_REPETITION_ORDER))
        self._repeats.values[:] += shared
        self._repeats.append(np.array([shared.sum() + bag.counts @ bag.counts - bag.total]))
        self._total += bag.total

    def value(self) -> Value:
        n = len(self._repeats)
        if n == 0:
            return Value(None, 0, too_few(1, 0))
        if not self._total:
            return Value(None, n, _no_ngrams(SELF_REPETITION_ORDER))
        return Value(float(np.log1p(self._repeats.values).mean()), n)


class Mattr:
    """Moving-average type-token ratio: different words over words in each window, averaged (Covington, McFall 2010).

    A window of 50 words slides one word at a time; a shorter response is one window as long as itself. The mean over
    responses that have words; over 0 up to 1, higher is more diverse wording inside a response. It does not move with
    the number of samples or, from one window on, with length.
    """

    __slots__ = ("_empty", "_index", "_n", "_sum", "_window")

    def __init__(self, index: NgramIndex | None = None, window: int = MATTR_WINDOW) -> None:
        self._index = NgramIndex() if index is None else index
        self._window = window
        self._n = self._empty = 0
        self._sum = 0.0

    def add(self, response: Response) -> None:
        words = self._index.sequence(response)
        if len(words):
            self._n += 1
            self._sum += _windowed_ratio(words, min(self._window, len(words)))
        else:
            self._empty += 1

    def value(self) -> Value:
        if self._n:
            return Value(self._sum / self._n, self._n)
        return Value(None, self._empty, _no_ngrams(1) if self._empty else too_few(1, 0))


def _windowed_ratio(words: np.ndarray, window: int) -> float:
    """Mean over all windows of different words over words; O(n log n)."""
    n_windows = len(words) - window + 1
    order = np.argsort(words, kind="stable")
    again = words[order[1:]] == words[order[:-1]]
    previous = np.full(len(words), -1)  # where the same word stands before
    previous[order[1:][again]] = order[:-1][again]
    # A word is the first of its kind in the windows that start after `previous` and reach it.
    here = np.arange(len(words))
    first = np.maximum(previous + 1, here - window + 1).clip(min=0)
    last = np.minimum(here, n_windows - 1)
    return float((last - first + 1).clip(min=0).sum() / (n_windows * window))


def _no_ngrams(order: int) -> str:
    return f"no response has {order} word{'s' if order != 1 else ''}"
