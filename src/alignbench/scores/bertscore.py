"""BERTScore of two responses from the vectors of their tokens (Zhang et al. 2020, arXiv 1904.09675)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.scores.semantic import cosine_matrix

Floats = NDArray[np.float64]


def bertscore_f1(
    a: ArrayLike, b: ArrayLike, weights_a: ArrayLike | None = None, weights_b: ArrayLike | None = None
) -> float | None:
    """F1 of greedily matching tokens, no idf, no rescaling; -1 to 1, symmetric, None where a side has no token.

    a, b: token vectors (tokens, dim) of one encoder layer. Each token takes its best cosine on the other side; the mean
    on one side is precision, on the other recall. weights (tokens,): 0 for marks of beginning and end, which may be
    matched but do not count, as in the authors' package; by default every token counts.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    wx = np.ones(len(x)) if weights_a is None else np.asarray(weights_a, np.float64)
    wy = np.ones(len(y)) if weights_b is None else np.asarray(weights_b, np.float64)
    if not wx.any() or not wy.any():
        return None
    cosines = cosine_matrix(x, y)
    precision = float(np.average(cosines.max(axis=1), weights=wx))
    recall = float(np.average(cosines.max(axis=0), weights=wy))
    total = precision + recall
    return 2.0 * precision * recall / total if total else 0.0


def bertscore_matrix(a: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> Floats:
    """`bertscore_f1` of each of n responses with each of m, (n, m); NaN where one has no token."""
    table = np.full((len(a), len(b)), np.nan)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            f1 = bertscore_f1(x, y)
            if f1 is not None:
                table[i, j] = f1
    return table
