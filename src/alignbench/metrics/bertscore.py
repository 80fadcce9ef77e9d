"""BERTScore of responses from the vectors of their tokens (Zhang et al. 2020, arXiv 1904.09675)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.metric import Metric
from alignbench.metrics.semantic import unit


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The tokens of a text as a layer of an encoder sees them.

    Attributes:
        vectors: (t, dim)
        counts: (t,), False for marks of beginning and end, which may be matched but do not count, as in the authors'
            package
    """

    vectors: NDArray[np.float32]
    counts: NDArray[np.bool_]


def bertscore_f1(a: TokenVectors, b: TokenVectors) -> float | None:
    """F1 of greedily matching tokens, no idf, no rescaling; symmetric, None where a side has no token.

    Each token takes its best cosine on the other side; the mean on one side is precision, on the other recall. At most
    1 where both are positive, as with every encoder.
    """
    f1 = float(bertscore_matrix([a], [b])[0, 0])
    return None if np.isnan(f1) else f1


def bertscore_matrix(a: Sequence[TokenVectors], b: Sequence[TokenVectors]) -> Floats:
    """`bertscore_f1` of each of n texts with each of m, (n, m); NaN where one has no token."""
    table = np.full((len(a), len(b)), np.nan)
    rows = [i for i, one in enumerate(a) if one.counts.any()]
    columns = [j for j, other in enumerate(b) if other.counts.any()]
    if not rows or not columns:
        return table
    others = _unit(np.concatenate([b[j].vectors for j in columns])).T
    lengths = [len(b[j].counts) for j in columns]
    starts = np.cumsum([0, *lengths[:-1]])
    weights = np.concatenate([b[j].counts / b[j].counts.sum() for j in columns])
    for i in rows:
        cosines = _unit(a[i].vectors) @ others  # (tokens of a, tokens of all of b)
        precision = np.maximum.reduceat(cosines, starts, axis=1)[a[i].counts].mean(axis=0, dtype=np.float64)
        recall = np.add.reduceat(cosines.max(axis=0) * weights, starts)
        total = precision + recall
        table[i, columns] = np.where(total != 0, 2 * precision * recall / np.where(total != 0, total, 1.0), 0.0)
    return table


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """At length 1, in single precision: twice as fast, and a mean over tokens is right to 1e-7 all the same."""
    return unit(vectors).astype(np.float32)


METRICS = (
    Metric(
        name="bertscore_f1",
        title="BERTScore",
        meaning=(
            "How well the tokens of two responses match one by one in an encoder's view, as F1: the mean over "
            "pairs. It sees paraphrase; its numbers depend on the encoder and its layer."
        ),
        scope=("within", "cross"),
        low=-1.0,
        high=1.0,
        more_diverse="lower",
        source="Zhang et al. 2020, arXiv 1904.09675; no idf, no rescaling",
        version="1",
        needs=("text", "token vectors"),
        min_samples=2,
        order=190,
        family="overlap between responses",
    ),
)
