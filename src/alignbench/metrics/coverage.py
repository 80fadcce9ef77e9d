"""Coverage: which sentences of one set of responses have their like in responses of another (aggregation).

All of it starts from a matrix `best` (sentences of B, responses of A): for each sentence its largest similarity to a
sentence of each response. A response without sentences matches nothing: -inf. Asymmetric: take it both ways.
After Lake, Choi and Durrett 2024, arXiv 2406.17692: does one aligned response say what several base responses say?
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.metric import Metric
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.semantic import cosine_matrix

COVERAGE_THRESHOLD = 0.6  # cosine from which a sentence counts as said, where none was calibrated

_MOST_KEPT = 64  # sentences or responses of which the chances of every number of hits are kept


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
        shares.append(float(1.0 - missed(hits, len(others))[min(n_sentences, len(others)) - 1].mean()))
    return float(np.mean(shares))


def _matrix(best: ArrayLike) -> Floats:
    matrix = np.asarray(best, np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"best matches are a matrix (sentences, responses); this has {matrix.ndim} dimensions")
    return matrix


def missed(hits: Ints, n: int) -> Floats:
    """(n, s): for k = 1..n, the chance that none of k of n, drawn without replacement, is one of those that hit.

    hits: (s,) how many of the n do, 0 to n. With h of them it is C(n - h, k) / C(n, k).
    """
    return _chances(n).take(hits, axis=1) if n <= _MOST_KEPT else _missed(hits, n)


@cache
def _chances(n: int) -> Floats:
    """Of every number of hits (n, n + 1)."""
    return _missed(np.arange(n + 1), n)


def _missed(hits: Ints, n: int) -> Floats:
    left = np.arange(n, 0, -1.0)[:, None]
    chances: Floats = np.cumprod(np.maximum(left - hits, 0.0) / left, axis=0)
    return chances


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
