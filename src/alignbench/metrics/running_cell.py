"""The live scores of one cell, and of a pair of cells: each grows by one finished sample at a time.

At every step the values are those of computing from scratch over the same samples (to 1e-9, in any order).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from alignbench.metrics import registry
from alignbench.metrics.arrays import Floats
from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.formula import CosineFormula, PairFormula, SetFormula
from alignbench.metrics.ngrams import NgramIndex
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.statistics import mmd2
from alignbench.metrics.values import (
    WORKBENCH,
    Cross,
    CrossScore,
    PairSimilarity,
    Response,
    RunningScore,
    RunningSimilarity,
    Value,
    WordMode,
    too_few,
)

__all__ = ["CellPair", "CellScores", "Cross", "Value"]


class CellScores(ScoredCell):
    """A cell that grows by one finished sample at a time. Not thread-safe."""

    def __init__(
        self,
        metrics: Collection[str] = registry.DEFAULT,
        mode: WordMode = WORKBENCH,
        *,
        class_threshold: float = CLASS_THRESHOLD,
    ) -> None:
        """As `ScoredCell`."""
        super().__init__(metrics, mode, class_threshold=class_threshold)
        index = NgramIndex()
        self._scores: dict[str, RunningScore] = {}
        self._with_empty: dict[str, RunningScore] = {}  # those of the scores that empty responses are part of
        self._similarities: dict[str, RunningSimilarity] = {}  # those of the scores that compare pairs
        for name in self.metrics:
            formula = registry.METRICS[name].formula
            if isinstance(formula, SetFormula):
                self._scores[name] = formula.running(index)
                if registry.METRICS[name].counts_empty:
                    self._with_empty[name] = formula.running(index)
            elif isinstance(formula, PairFormula):
                self._scores[name] = self._similarities[name] = formula.running(index)

    def add(self, sample: int, text: str) -> None:
        """Add a finished sample; O(n) for the n-th. ValueError where the cell has this sample."""
        compared = self._take_up(sample, text)
        response = Response(sample, text, self.mode)
        for score in (*(self._scores.values() if compared else ()), *self._with_empty.values()):
            score.add(response)

    def similarity(self, metric: str) -> PairSimilarity:
        return self._similarities[metric]

    def _value(self, name: str, *, with_empty: bool = False) -> Value:
        return (self._with_empty if with_empty else self._scores)[name].value()


class CellPair:
    """The reference's cell and another one's of the same prompt; a live view that catches up when it is read.

    With the same object on both sides it is the reference against itself: pairs of different sample index, where equal
    texts stay. It holds the scores that both cells run.
    """

    def __init__(self, reference: ScoredCell, other: ScoredCell, whole: ScoredCell | None = None) -> None:
        """whole: the reference with all its samples, where `reference` has only some. The ceiling is its own, and so is
        s(A,A) of the MMD^2: held out or not, pairs of its samples are pairs of one distribution."""
        if reference.mode is not other.mode:
            raise ValueError("two cells whose words are counted in different modes do not compare")
        self._reference = reference
        self._other = other
        self._whole = reference if whole is None else whole
        self._metrics = registry.cross(tuple(name for name in reference.metrics if name in other.metrics))
        self._between: dict[str, CrossScore] = {
            name: reference.similarity(name).against(other.similarity(name))
            for name in self._metrics
            if reference is not other and not _is_cosine(name)
        }

    def cross(self) -> dict[str, Cross]:
        """By metric name (see `registry`)."""
        return {name: self._cosine() if _is_cosine(name) else self._pairs(name) for name in self._metrics}

    def similarities(self, metric: str) -> Floats:
        """The similarities of single pairs (k,) whose mean is the value of `metric`, in no particular order.

        KeyError where the pair does not run it.
        """
        itself = self._reference is self._other
        if _is_cosine(metric):
            a, b = self._reference.vectors, self._other.vectors
            cosines = a.cosines() if itself else a.cosines_with(b)
            return cosines[np.triu_indices(len(cosines), 1)] if itself else cosines.ravel()
        if itself:
            return np.array(self._reference.similarity(metric).pairs.values)
        return np.array(self._between[metric].pairs().values)

    def _pairs(self, name: str) -> Cross:
        score = self._reference.similarity(name)
        own = self._whole.value(name)
        if self._reference is self._other:
            return _itself(own.value, score.pairs.n, own.reason, own.skipped)
        pairs = self._between[name].pairs()
        reason = self._missing_side()
        if not reason and pairs.mean is None:
            reason = score.no_pairs(pairs.skipped)
        distance = mmd2(own.value, self._other.similarity(name).pairs.mean, pairs.mean)
        if registry.METRICS[name].is_distance and distance is not None:
            distance = -distance  # the energy distance (Székely and Rizzo 2013), 0 where the sets are alike too
        return Cross(pairs.mean, pairs.n, own.value, reason, own.reason, distance, pairs.skipped)

    def _cosine(self) -> Cross:
        a, b, whole = self._reference.embeddings, self._other.embeddings, self._whole.embeddings
        ceiling_reason = self._whole.too_few_embeddings(2)
        if self._reference is self._other:
            return _itself(a.mean, a.n_pairs, ceiling_reason)
        mean = a.mean_with(b)
        reason = self._missing_side()
        if not reason and mean is None:
            reason = self._reference.too_few_embeddings(1) or self._other.too_few_embeddings(1)
        return Cross(mean, a.n * b.n, whole.mean, reason, ceiling_reason, mmd2(whole.mean, b.mean, mean))

    def _missing_side(self) -> str:
        if not len(self._reference):
            return "the reference has no samples"
        if not len(self._other):
            return too_few(1, 0)
        if not self._reference.n_compared:
            return "every response of the reference is empty"
        return "" if self._other.n_compared else too_few(1, 0, "non-empty sample")


def _is_cosine(metric: str) -> bool:
    return isinstance(registry.METRICS[metric].formula, CosineFormula)


def _itself(ceiling: float | None, n_pairs: int, reason: str, skipped: int = 0) -> Cross:
    """The reference against itself: value and ceiling are one number."""
    distance = None if ceiling is None else 0.0
    return Cross(ceiling, n_pairs, ceiling, reason, reason, distance, skipped)
