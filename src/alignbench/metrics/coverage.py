"""Coverage: which sentences of one set of responses have their like in responses of another (aggregation).

All of it starts from a matrix `best` (sentences of B, responses of A): for each sentence its largest similarity to a
sentence of each response. A response without sentences matches nothing: -inf. Asymmetric: take it both ways.
After Lake, Choi and Durrett 2024, arXiv 2406.17692: does one aligned response say what several base responses say?
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.metric import Metric
from alignbench.metrics.semantic import cosine_matrix

COVERAGE_THRESHOLD = 0.6  # cosine from which a sentence counts as said, where none was calibrated


def best_matches(sentences: ArrayLike, responses: Sequence[ArrayLike]) -> Floats:
    """The matrix `best` (s, n): sentence vectors of B (s, dim), and of each of n responses of A its own (t, dim)."""
    of = np.asarray(sentences, np.float64)
    best = np.full((len(of), len(responses)), -np.inf)
    for column, vectors in enumerate(responses):
        others = np.asarray(vectors, np.float64)
        if len(of) and len(others):
            best[:, column] = cosine_matrix(of, others).max(axis=1)
    return best


def coverage(best: ArrayLike, threshold: float = COVERAGE_THRESHOLD) -> float | None:
    """Share of B's sentences that one response of A covers, the mean over A's responses; 0 to 1, None for no sentence.

    A sentence is covered where its best match is the threshold or over it.
    """
    covered = _matrix(best) >= threshold
    return float(covered.mean()) if covered.size else None


def union_coverage(best: ArrayLike, threshold: float = COVERAGE_THRESHOLD) -> list[float]:
    """Share of B's sentences that k of A's n responses cover together, for k = 1..n; empty for no sentence.

    Exact means over all choices of k responses: a sentence that h of n cover is missed by C(n - h, k) of the C(n, k)
    choices. The first entry is `coverage`. With base samples as A and one aligned response as B, a curve that goes on
    rising says that the aligned response gathers what single base samples say.
    """
    covered = _matrix(best) >= threshold
    if not covered.size:
        return []
    n = covered.shape[1]
    hits = covered.sum(axis=1)
    return [float(1.0 - _missed(np.full(len(hits), n), hits, k).mean()) for k in range(1, n + 1)]


def coverage_at(
    sentences: ArrayLike, responses: Sequence[ArrayLike], n_sentences: int, threshold: float = COVERAGE_THRESHOLD
) -> float | None:
    """`coverage` at an equal sentence count: each response of A speaks with `n_sentences` of its sentences only.

    Longer responses cover more by saying more. Exact mean over all choices of sentences; a response that has fewer
    speaks with all of them. None for no sentence.
    """
    of = np.asarray(sentences, np.float64)
    if not len(of) or not len(responses):
        return None
    shares = []
    for vectors in responses:
        others = np.asarray(vectors, np.float64)
        if not len(others):
            shares.append(0.0)
            continue
        hits = (cosine_matrix(of, others) >= threshold).sum(axis=1)
        all_of_them = np.full(len(of), len(others))
        shares.append(float(1.0 - _missed(all_of_them, hits, min(n_sentences, len(others))).mean()))
    return float(np.mean(shares))


def covered_responses(bests: Sequence[ArrayLike], share: float, threshold: float = COVERAGE_THRESHOLD) -> Floats:
    """How many of B's responses each of A's n responses covers, (n,): those of which it covers a share of sentences.

    bests: the matrix `best` (s, n) of each response of B. Responses without a sentence are not counted.
    """
    tables = [_matrix(best) for best in bests]
    there = [table for table in tables if len(table)]
    if not there:
        return np.zeros(tables[0].shape[1] if tables else 0)
    covered: Floats = np.sum([(table >= threshold).mean(axis=0) >= share for table in there], axis=0, dtype=np.float64)
    return covered


def _matrix(best: ArrayLike) -> Floats:
    matrix = np.asarray(best, np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"best matches are a matrix (sentences, responses); this has {matrix.ndim} dimensions")
    return matrix


def _missed(n: NDArray[np.int64], hits: NDArray[np.int64], k: int) -> Floats:
    """C(n - h, k) / C(n, k): the chance that k of n, drawn without replacement, hold none of h."""
    missed = np.ones(len(n))
    for drawn in range(k):
        missed *= np.maximum(n - hits - drawn, 0) / (n - drawn)
    return missed


METRICS = (
    Metric(
        name="coverage",
        title="coverage",
        meaning=(
            "Share of a condition's sentences that one response of the reference says too, by a cosine of "
            f"{COVERAGE_THRESHOLD} or more. It is not symmetric, and does not see stance."
        ),
        scope=("cross",),
        low=0.0,
        high=1.0,
        more_diverse="",
        source="after Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version="1",
        needs=("text", "sentence embeddings"),
        min_samples=1,
        order=180,
    ),
)
