"""The live scores of finished cells of one prompt, counted all at once in arrays.

To rounding the values that `running_cell` gives for a cell that grows, in a third of the time: what `alignbench score`
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from alignbench.metrics import registry
from alignbench.metrics.arrays import Floats
from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.formula import Between, CosineFormula, PairFormula, SetFormula
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import NgramIndex
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.values import PairMean, PairSimilarity, Response, Value, WordMode, mean_of_pairs
from alignbench.metrics.word_table import Documents, WordTable


def counted_cells(
    cells: Sequence[Documents],
    lexicon: Lexicon,
    metrics: Collection[str],
    *,
    class_threshold: float = CLASS_THRESHOLD,
) -> list[CountedCell]:
    """The cells, which compare with each other and with no others. metrics, class_threshold: see `ScoredCell`."""
    compared = [cell.compared(lexicon.mode) for cell in cells]
    group = _Group(WordTable(compared, lexicon))
    ends = np.cumsum([0, *(len(cell.words) for cell in compared)]).tolist()
    return [
        CountedCell(metrics, lexicon.mode, cell, of, group, slice(*rows), class_threshold)
        for cell, of, rows in zip(cells, compared, pairwise(ends), strict=True)
    ]


def pair_matrix(a: CountedCell, b: CountedCell, metric: str) -> Floats:
    """The similarities (n, m) of all pairs of their responses, NaN for a pair that has none; KeyError where the cells
    do not run `metric`."""
    if isinstance(registry.METRICS[metric].formula, CosineFormula):
        return a.vectors.cosines() if a is b else a.vectors.cosines_with(b.vectors)
    return a.similarity(metric).matrix(b.similarity(metric))


class CountedCell(ScoredCell):
    """A finished cell. Made by `counted_cells`."""

    def __init__(
        self,
        metrics: Collection[str],
        mode: WordMode,
        documents: Documents,
        compared: Documents,
        group: _Group,
        rows: slice,
        class_threshold: float,
    ) -> None:
        super().__init__(metrics, mode, class_threshold=class_threshold)
        for sample, text in documents.texts.items():
            self._take_up(sample, text)
        self._documents, self._compared, self._group, self._rows = documents, compared, group, rows
        self._tables = NgramTables(compared.words)
        self._pairs: dict[str, _CountedPairs] = {}

    def similarity(self, metric: str) -> _CountedPairs:
        if metric not in self._pairs:
            formula = registry.METRICS[metric].formula
            if not isinstance(formula, PairFormula):
                raise KeyError(metric)
            between = self._group.similarities(metric, formula)
            self._pairs[metric] = _CountedPairs(between, formula.no_pairs, self._rows)
        return self._pairs[metric]

    def _value(self, name: str, *, with_empty: bool = False) -> Value:
        formula = registry.METRICS[name].formula
        if not isinstance(formula, SetFormula):
            return self.similarity(name).value()
        documents = self._documents if with_empty else self._compared
        if formula.counted is not None:
            return formula.counted(self._tables if documents is self._compared else NgramTables(documents.words))
        running = formula.running(NgramIndex())
        for sample, text in documents.texts.items():
            running.add(Response(sample, text, self.mode))
        return running.value()


class _CountedPairs:
    """A `PairSimilarity` of a finished cell, whose responses are `rows` of all those of its group."""

    def __init__(self, between: Between, no_pairs: Callable[[int], str], rows: slice) -> None:
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

    def __init__(self, between: Between, a: slice, b: slice) -> None:
        self._between, self._a, self._b = between, a, b
        self._pairs: PairMean | None = None

    def pairs(self) -> PairMean:
        if self._pairs is None:
            self._pairs = PairMean()
            self._pairs.add(self._between(self._a, self._b).ravel())
        return self._pairs


class _Group:
    """All responses of a prompt, and the similarities between them, each computed once."""

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self._similarities: dict[str, Between] = {}

    def similarities(self, metric: str, formula: PairFormula) -> Between:
        """What compares responses by a metric with this formula."""
        if metric not in self._similarities:
            self._similarities[metric] = _kept(formula.counted(self._table))
        return self._similarities[metric]


def _kept(between: Between) -> Between:
    """The same, with what was compared once kept for as long as its group."""
    kept: dict[tuple[int, int, int, int], Floats] = {}

    def similarities(a: slice, b: slice) -> Floats:
        key = a.start, a.stop, b.start, b.stop
        if key not in kept:
            kept[key] = between(a, b)
        return kept[key]

    return similarities
