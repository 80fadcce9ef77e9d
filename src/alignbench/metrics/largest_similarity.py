"""The most alike pair of a set."""

from __future__ import annotations

import numpy as np

from alignbench.metrics.formula import SetFormula
from alignbench.metrics.lexical import WordSets, jaccard_reason
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.values import Response, Value, too_few


class LargestSimilarity:
    """The highest Jaccard similarity of two responses of a set, of their content words. O(n) for the n-th response."""

    __slots__ = ("_largest", "_sets", "_skipped")

    def __init__(self) -> None:
        self._sets = WordSets()
        self._largest: float | None = None
        self._skipped = 0

    def add(self, response: Response) -> None:
        similarities = self._sets.add(response.content)
        there = similarities[~np.isnan(similarities)]
        self._skipped += similarities.size - there.size
        if there.size:
            self._largest = max(float(there.max()), self._largest or 0.0)

    def value(self) -> Value:
        n = len(self._sets)
        if n < 2:
            return Value(None, n, too_few(2, n))
        reason = jaccard_reason(self._skipped) if self._largest is None else ""
        return Value(self._largest, n, reason, skipped=self._skipped)


METRICS = (
    Metric(
        name="jaccard_max",
        title="largest lexical similarity",
        meaning=(
            "The lexical similarity of the two responses of a set that are most alike: 1 where one was drawn twice. It "
            "rises as samples are added, so compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Jaccard 1912; Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=SetFormula(lambda _: LargestSimilarity()),
        moves_with_n=True,
        order=45,
    ),
)
