"""How far the lengths of a set's responses lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.formula import of_responses
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.values import Response


def mean_difference(lengths: ArrayLike) -> float | None:
    """Mean absolute difference over pairs of different ones of n lengths; None under two. O(n log n)."""
    ascending = np.sort(np.asarray(lengths, np.float64))
    n = len(ascending)
    if n < 2:
        return None
    # The i-th smallest is the larger one of i pairs and the smaller one of n - 1 - i.
    return float(ascending @ (2 * np.arange(n) - n + 1)) / (n * (n - 1) / 2)


def _difference(responses: Sequence[Response]) -> float | None:
    return mean_difference([len(response.words) for response in responses])


METRICS = (
    Metric(
        name="length_difference",
        title="length difference",
        meaning="By how many words two responses of a set differ in length: the mean over pairs.",
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="",
        source="as in the code of Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=of_responses(_difference, min_samples=2),
        order=12,
    ),
)
