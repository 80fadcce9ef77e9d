"""The live scores of finished cells of one prompt, counted all at once in arrays.

To rounding the values that `scoreboard` gives for a cell that grows, in a third of the time: what `alignbench score`
runs. Only the counting is here; the formulas stand beside each score (see `cells`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.compression import CompressionRatio
from alignbench.metrics.diversity import (
    NGRAM_DIVERSITY_ORDERS,
    SELF_REPETITION_ORDER,
    distinct,
    expectation_adjusted,
    mean_ratio,
    ngram_diversity,
    self_repetition,
    windowed_ratios,
)
from alignbench.metrics.lexical import jaccard_reason, jaccards, mean_length
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import Ints, is_first, stable_order
from alignbench.metrics.overlap import BLEU_ORDERS, common_lengths, no_words, packed, rouge_ls, self_bleu
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.spectral import VENDI_ORDERS, count_cosines, vendi_ngram
from alignbench.metrics.values import PairMean, PairSimilarity, Response, Value, mean_of_pairs

Floats = NDArray[np.float64]

_LARGEST = 1 << 24  # entries of a matrix of who has which term


@dataclass(frozen=True, slots=True)
class Documents:
    """The responses of one cell. texts: by sample index. words: of each, in that order, the numbers of its words."""

    texts: Mapping[int, str]
    words: tuple[Ints, ...]

    @classmethod
    def of(cls, texts: Mapping[int, str], lexicon: Lexicon) -> Documents:
        return cls(texts, tuple([lexicon.numbers(text) for text in texts.values()]))


def counted_cells(
    cells: Sequence[Documents],
    lexicon: Lexicon,
    metrics: Collection[str],
    *,
    class_threshold: float = CLASS_THRESHOLD,
) -> list[CountedCell]:
    """The cells, which compare with each other and with no others. metrics, class_threshold: see `ScoredCell`."""
    group = _Group(cells, lexicon)
    ends = np.cumsum([0, *(len(cell.words) for cell in cells)]).tolist()
    return [
        CountedCell(metrics, cell, group, slice(*rows), class_threshold)
        for cell, rows in zip(cells, pairwise(ends), strict=True)
    ]


def pair_matrix(a: CountedCell, b: CountedCell, metric: str) -> Floats:
    """The similarities (n, m) of all pairs of their responses, NaN for a pair that has none; KeyError where the cells
    do not run `metric`."""
    if metric == "embedding_similarity":
        return a.vectors.cosines() if a is b else a.vectors.cosines_with(b.vectors)
    return a.similarity(metric).matrix(b.similarity(metric))


class CountedCell(ScoredCell):
    """A finished cell. Made by `counted_cells`."""

    def __init__(
        self, metrics: Collection[str], documents: Documents, group: _Group, rows: slice, class_threshold: float
    ) -> None:
        super().__init__(metrics, group.mode, class_threshold=class_threshold)
        for sample, text in documents.texts.items():
            self._take_up(sample, text)
        self._documents, self._group, self._rows = documents, group, rows
        self._tables = NgramTables(documents.words)
        self._pairs: dict[str, _CountedPairs] = {}

    def similarity(self, metric: str) -> _CountedPairs:
        if metric not in self._pairs:
            between, no_pairs = self._group.similarities(metric)
            self._pairs[metric] = _CountedPairs(between, no_pairs, self._rows)
        return self._pairs[metric]

    def _value(self, name: str) -> Value:
        if name in _OF_TABLES:
            return _OF_TABLES[name](self._tables)
        if name == "compression_ratio":
            compression = CompressionRatio()
            for sample, text in self._documents.texts.items():
                compression.add(Response(sample, text, self.mode))
            return compression.value()
        return self.similarity(name).value()


def _distinct(tables: NgramTables, order: int) -> Value:
    table = tables.table(order)
    return distinct(table.n_distinct, table.total, table.n, order)


def _vendi(tables: NgramTables) -> Value:
    there = np.flatnonzero(tables.lengths)
    kernels = []
    for order in VENDI_ORDERS:
        table = tables.table(order)
        kernels.append(count_cosines(table.products, table.norms[:, None], table.norms)[np.ix_(there, there)])
    kernel = np.mean(kernels, axis=0)
    np.fill_diagonal(kernel, 1.0)
    return vendi_ngram(kernel, table.n - len(there))


def _self_repetition(tables: NgramTables) -> Value:
    table = tables.table(SELF_REPETITION_ORDER)
    return self_repetition(table.repeats, table.total)


_OF_TABLES: dict[str, Callable[[NgramTables], Value]] = {
    "words": lambda t: mean_length(len(t.lengths), int(t.lengths.sum()), int((t.lengths**2).sum())),
    "self_bleu": lambda t: self_bleu([t.table(order).clipped_matches for order in BLEU_ORDERS], t.lengths),
    "distinct_1": lambda t: _distinct(t, 1),
    "distinct_2": lambda t: _distinct(t, 2),
    "distinct_3": lambda t: _distinct(t, 3),
    "ead_1": lambda t: expectation_adjusted(t.table(1).n_distinct, t.table(1).total, t.table(1).n),
    "ngram_diversity": lambda t: ngram_diversity([_distinct(t, order) for order in NGRAM_DIVERSITY_ORDERS]),
    "self_repetition": _self_repetition,
    "vendi_ngram": _vendi,
    "mattr": lambda t: mean_ratio(windowed_ratios(t.words, t.lengths)),
}

_Between = Callable[[slice, slice], Floats]  # similarities (n, m) of the responses of two slices, NaN for none


class _CountedPairs:
    """A `PairSimilarity` of a finished cell, whose responses are `rows` of all those of its group."""

    def __init__(self, between: _Between, no_pairs: Callable[[int], str], rows: slice) -> None:
        self._between, self._rows = between, rows
        self.no_pairs = no_pairs

    @cached_property
    def pairs(self) -> PairMean:
        pairs = PairMean()
        pairs.add(self._between(self._rows, self._rows)[np.triu_indices(self._n, 1)])
        return pairs

    @property
    def _n(self) -> int:
        return int(self._rows.stop - self._rows.start)

    def value(self) -> Value:
        return mean_of_pairs(self._n, self.pairs, self.no_pairs)

    def matrix(self, other: _CountedPairs) -> Floats:
        """The similarities (n, m) with those of another cell, or this one."""
        return self._between(self._rows, other._rows)

    def against(self, other: PairSimilarity) -> _CountedCross:
        assert isinstance(other, _CountedPairs)
        return _CountedCross(self._between, self._rows, other._rows)


class _CountedCross:
    """A `CrossScore` of two finished cells."""

    def __init__(self, between: _Between, a: slice, b: slice) -> None:
        self._between, self._a, self._b = between, a, b
        self._pairs: PairMean | None = None

    def pairs(self) -> PairMean:
        if self._pairs is None:
            self._pairs = PairMean()
            self._pairs.add(self._between(self._a, self._b).ravel())
        return self._pairs


class _Group:
    """All responses of a prompt, one after the other, as what similarities between them are counted from."""

    def __init__(self, cells: Sequence[Documents], lexicon: Lexicon) -> None:
        sequences = [words for cell in cells for words in cell.words]
        self.mode = lexicon.mode
        self._lexicon = lexicon
        self._words: Ints = np.concatenate(sequences) if sequences else np.empty(0, np.int64)
        self._n = len(sequences)
        self._owners = np.repeat(np.arange(self._n), [len(words) for words in sequences])
        self._found: dict[str, _Between] = {}

    def similarities(self, metric: str) -> tuple[_Between, Callable[[int], str]]:
        """What compares responses by `metric`, and the reason where no pair can be compared."""
        if metric not in self._found:
            self._found[metric] = _kept(_SIMILARITIES[metric](self))
        return self._found[metric], no_words if metric == "rouge_l" else jaccard_reason

    def rouge_l(self) -> _Between:
        return _Sequences(self._words, self._owners, self._n).similarities

    def jaccard(self) -> _Between:
        words, owners = self._content
        return _TermSets(words, owners, self._n).similarities

    def jaccard_2(self) -> _Between:
        words, owners = self._content
        inside = owners[1:] == owners[:-1]
        pairs = words[:-1] * (words.max(initial=0) + 1) + words[1:]
        return _TermSets(pairs[inside], owners[1:][inside], self._n).similarities

    def jaccard_stem(self) -> _Between:
        words, owners = self._content
        return _TermSets(self._lexicon.stems[words], owners, self._n).similarities

    @cached_property
    def _content(self) -> tuple[Ints, Ints]:
        """The words that are no stop words, and whose they are."""
        keep = ~self._lexicon.is_stop[self._words]
        return self._words[keep], self._owners[keep]


def _kept(between: _Between) -> _Between:
    """The same, with what was compared once kept for as long as its group."""
    found: dict[tuple[int, int, int, int], Floats] = {}

    def similarities(a: slice, b: slice) -> Floats:
        key = a.start, a.stop, b.start, b.stop
        if key not in found:
            found[key] = between(a, b)
        return found[key]

    return similarities


_SIMILARITIES: dict[str, Callable[[_Group], _Between]] = {
    "jaccard": _Group.jaccard,
    "jaccard_2": _Group.jaccard_2,
    "jaccard_stem": _Group.jaccard_stem,
    "rouge_l": _Group.rouge_l,
}


class _TermSets:
    """Sets of terms, compared by `jaccards`: only terms that two sets have can be shared."""

    def __init__(self, terms: Ints, owners: Ints, n: int) -> None:
        """terms: numbers, repeated or not. owners: which of the n sets each is in."""
        keys = np.sort(terms * n + owners)
        terms, owners = np.divmod(keys[is_first(keys)], max(n, 1))
        self._sizes = np.bincount(owners, minlength=n)
        new = is_first(terms)
        numbers = np.cumsum(new) - 1
        several = np.bincount(numbers) > 1
        keep = several[numbers]
        by_owner = stable_order(owners[keep])
        self._owners = owners[keep][by_owner]
        self._columns = (np.cumsum(several) - 1)[numbers[keep]][by_owner]
        self._n_columns = int(several.sum())
        self._starts = np.searchsorted(self._owners, np.arange(n + 1))

    def similarities(self, a: slice, b: slice) -> Floats:
        rows = max(a.stop - a.start, b.stop - b.start, 1)
        step = max(1, _LARGEST // rows)
        shared = np.zeros((a.stop - a.start, b.stop - b.start))
        for first in range(0, self._n_columns, step):
            width = min(step, self._n_columns - first)
            shared += self._matrix(a, first, width) @ self._matrix(b, first, width).T
        return jaccards(shared, self._sizes[a, None], self._sizes[b])

    def _matrix(self, rows: slice, first: int, width: int) -> NDArray[np.float32]:
        """Ones where a set has a term; single precision is exact up to 16 million shared terms."""
        entries = slice(self._starts[rows.start], self._starts[rows.stop])
        owners, columns = self._owners[entries] - rows.start, self._columns[entries] - first
        inside = (columns >= 0) & (columns < width)
        matrix = np.zeros((rows.stop - rows.start, width), np.float32)
        matrix[owners[inside], columns[inside]] = 1.0
        return matrix


class _Sequences:
    """Sequences of words, compared by `rouge_ls`.

    A word that is there once is in no common subsequence. The frequent ones get the lowest numbers: rapidfuzz looks
    characters under 256 up in a table, and hashes others.
    """

    def __init__(self, words: Ints, owners: Ints, n: int) -> None:
        times = np.bincount(words)
        rank = np.empty(len(times), np.int64)
        rank[stable_order(times.max(initial=0) - times)] = np.arange(len(times))
        keep = times[words] > 1
        text = packed(rank[words[keep]])
        ends = np.cumsum(np.bincount(owners[keep], minlength=n)).tolist()
        self._packed = [text[start:end] for start, end in pairwise([0, *ends])]
        self._lengths = np.bincount(owners, minlength=n)

    def similarities(self, a: slice, b: slice) -> Floats:
        one = self._packed[a]
        other = one if a == b else self._packed[b]
        return rouge_ls(common_lengths(one, other), self._lengths[a, None], self._lengths[b])
