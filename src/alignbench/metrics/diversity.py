"""How little a set of responses repeats its n-grams and words. All of it grows by one response at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.formula import SetFormula
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import BagProducts, GrowingArray, Ints, NgramIndex, stable_order
from alignbench.metrics.values import Response, Value, too_few

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
        return distinct(self._index.n_distinct(self._order), self._total, self._n, self._order)


def distinct(n_distinct: int, total: int, n: int, order: int) -> Value:
    """`Distinct` of n responses from the numbers of their different n-grams and of all of them."""
    if n == 0:
        return Value(None, 0, too_few(1, 0))
    if not total:
        return Value(None, n, _no_ngrams(order))
    return Value(n_distinct / total, n)


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
        return expectation_adjusted(self._index.n_distinct(1), self._total, self._n, self._vocabulary)


def expectation_adjusted(n_distinct: int, total: int, n: int, vocabulary: int = EAD_VOCABULARY) -> Value:
    """`ExpectationAdjustedDistinct` of n responses from the numbers of their different words and of all of them."""
    if n == 0:
        return Value(None, 0, too_few(1, 0))
    if not total:
        return Value(None, n, _no_ngrams(1))
    expected = -vocabulary * math.expm1(total * math.log1p(-1 / vocabulary))
    return Value(n_distinct / expected, n)


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
        return ngram_diversity([part.value() for part in self._parts])


def ngram_diversity(parts: Sequence[Value]) -> Value:
    """`NgramDiversity` from distinct-n of each of its orders."""
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
        self._repeats = GrowingArray(np.float64)
        self._total = 0

    def add(self, response: Response) -> None:
        bag = self._index.bag(response, SELF_REPETITION_ORDER)
        shared = self._products.add(bag, self._index.n_distinct(SELF_REPETITION_ORDER))
        self._repeats.values[:] += shared
        self._repeats.append(np.array([shared.sum() + bag.counts @ bag.counts - bag.total]))
        self._total += bag.total

    def value(self) -> Value:
        return self_repetition(self._repeats.values, self._total)


def self_repetition(repeats: Floats, total: int) -> Value:
    """`SelfRepetition` from, for each response (n,), the sum over its 4-grams of (count - 1), and their number."""
    n = len(repeats)
    if n == 0:
        return Value(None, 0, too_few(1, 0))
    if not total:
        return Value(None, n, _no_ngrams(SELF_REPETITION_ORDER))
    return Value(float(np.log1p(repeats).mean()), n)


class Mattr:
    """Moving-average type-token ratio: different words over words in each window, averaged (Covington, McFall 2010).

    A window of 50 words slides one word at a time; a shorter response is one window as long as itself. The mean over
    responses that have words; over 0 up to 1, higher is more diverse wording inside a response. It does not move with
    the number of samples or, from one window on, with length.
    """

    __slots__ = ("_index", "_ratios", "_window")

    def __init__(self, index: NgramIndex | None = None, window: int = MATTR_WINDOW) -> None:
        self._index = NgramIndex() if index is None else index
        self._window = window
        self._ratios = GrowingArray(np.float64)

    def add(self, response: Response) -> None:
        words = self._index.sequence(response)
        self._ratios.append(windowed_ratios(words, np.array([len(words)]), self._window))

    def value(self) -> Value:
        return mean_ratio(self._ratios.values)


def mean_ratio(ratios: Floats) -> Value:
    """`Mattr` from the `windowed_ratios` (n,) of the responses."""
    there = ratios[~np.isnan(ratios)]
    if there.size:
        return Value(float(there.mean()), there.size)
    return Value(None, len(ratios), _no_ngrams(1) if len(ratios) else too_few(1, 0))


def windowed_ratios(words: Ints, lengths: Ints, window: int = MATTR_WINDOW) -> Floats:
    """Mean over all windows of different words over words, for each of n sequences (n,); NaN for an empty one.

    words (N,): numbers of the words of all of them, one after the other. lengths: (n,). O(N log N).
    """
    starts = np.cumsum(lengths) - lengths
    windows = np.minimum(window, lengths)
    n_windows = lengths - windows + 1
    owner = np.repeat(np.arange(len(lengths)), lengths)
    order = stable_order(owner * (words.max(initial=0) + 1) + words)
    again = (words[order[1:]] == words[order[:-1]]) & (owner[order[1:]] == owner[order[:-1]])
    previous = (starts - 1)[owner]  # where the same word stands before
    previous[order[1:][again]] = order[:-1][again]
    # A word is the first of its kind in the windows that start after `previous` and reach it.
    here = np.arange(len(words))
    first = np.maximum(previous + 1, here - (windows - 1)[owner])
    last = np.minimum(here, (starts + n_windows - 1)[owner])
    firsts = np.bincount(owner, (last - first + 1).clip(min=0), minlength=len(lengths))
    ratios: Floats = np.full(len(lengths), np.nan)
    return np.divide(firsts, n_windows * windows, out=ratios, where=lengths > 0)


def _no_ngrams(order: int) -> str:
    return f"no response has {order} word{'s' if order != 1 else ''}"


def _distinct(tables: NgramTables, order: int) -> Value:
    table = tables.table(order)
    return distinct(table.n_distinct, table.total, table.n, order)


def _expectation_adjusted(tables: NgramTables) -> Value:
    table = tables.table(1)
    return expectation_adjusted(table.n_distinct, table.total, table.n)


def _ngram_diversity(tables: NgramTables) -> Value:
    return ngram_diversity([_distinct(tables, order) for order in NGRAM_DIVERSITY_ORDERS])


def _self_repetition(tables: NgramTables) -> Value:
    table = tables.table(SELF_REPETITION_ORDER)
    return self_repetition(table.repeats, table.total)


def _mattr(tables: NgramTables) -> Value:
    return mean_ratio(windowed_ratios(tables.words, tables.lengths))


METRICS = (
    *(
        Metric(
            name=f"distinct_{order}",
            title=f"distinct-{order}",
            meaning=(
                f"Different {what} over all {what} of the set: low where responses repeat themselves or each "
                "other. It falls as samples are added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=1.0,
            more_diverse="higher",
            source="Li et al. 2016, arXiv 1510.03055",
            version=COUNTS_WORDS,
            needs=("text",),
            min_samples=1,
            formula=SetFormula(partial(Distinct, order), partial(_distinct, order=order)),
            moves_with_n=True,
            default=order == 2,
            order=70 + order,
            family="vocabulary",
        )
        for order, what in ((1, "words"), (2, "word pairs"), (3, "word triples"))
    ),
    Metric(
        name="ead_1",
        title="expectation-adjusted distinct-1",
        meaning=(
            f"Different words over the number that as many random draws from {EAD_VOCABULARY:,} words would show: "
            "distinct-1 freed of most of its dependence on length."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source=f"Liu et al. 2022, arXiv 2202.13587, with V = {EAD_VOCABULARY}",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=1,
        formula=SetFormula(ExpectationAdjustedDistinct, _expectation_adjusted),
        moves_with_n=True,
        order=80,
        family="vocabulary",
        label="expectation-adj. distinct-1",
    ),
    Metric(
        name="ngram_diversity",
        title="n-gram diversity",
        meaning=(
            "The sum of the shares of different n-grams for n = 1 to 4, inside responses. It falls as samples are "
            "added, so compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=4.0,
        more_diverse="higher",
        source="Padmakumar and He 2024, arXiv 2309.05196; Shaib et al. 2024, arXiv 2403.00553",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=1,
        formula=SetFormula(NgramDiversity, _ngram_diversity),
        moves_with_n=True,
        order=90,
        family="repetition",
    ),
    Metric(
        name="self_repetition",
        title="self-repetition",
        meaning=(
            "How often the four-word phrases of a response stand elsewhere in the set, as the mean logarithm. It "
            "rises as samples are added, so compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="lower",
        source="Salkar et al. 2022, 2022.aacl-short.42",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=1,
        formula=SetFormula(SelfRepetition, _self_repetition),
        moves_with_n=True,
        order=110,
        family="repetition",
    ),
    Metric(
        name="mattr",
        title="MATTR",
        meaning=(
            f"Different words over words in a window of {MATTR_WINDOW} that slides through each response: varied "
            "wording inside a response, whatever its length."
        ),
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="higher",
        source="Covington and McFall 2010, doi 10.1080/09296171003643098",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=1,
        formula=SetFormula(Mattr, _mattr),
        order=130,
        family="vocabulary",
    ),
)
