"""Coverage: which sentences of one set of responses have their like in responses of another (aggregation).

All of it starts from a matrix `best` (sentences of B, responses of A): for each sentence its largest similarity to a
sentence of each response. A response without sentences matches nothing: -inf. Asymmetric: take it both ways.
After Lake, Choi and Durrett 2024, arXiv 2406.17692: does one aligned response say what several base responses say?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.metric import Metric
from alignbench.metrics.semantic import cosine_matrix, unit

COVERAGE_THRESHOLD = 0.6  # cosine from which a sentence counts as said, where none was calibrated


@dataclass(frozen=True, slots=True)
class EqualSentences:
    """How much of a response two sets say in equally many sentences.

    Attributes:
        by_others: share that responses of the other set say, 0 to 1.
        by_itself: share that the other responses of its own set say, 0 to 1.
        sentences: how many each of them has said, on average.
    """

    by_others: float
    by_itself: float
    sentences: float


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
    curve: list[float] = (1.0 - _missed(covered).mean(axis=1)).tolist()
    return curve


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
        missed = _missed(cosine_matrix(of, others) >= threshold)
        shares.append(float(1.0 - missed[min(n_sentences, len(others)) - 1].mean()))
    return float(np.mean(shares))


def equal_sentences(
    itself: Sequence[ArrayLike], others: Sequence[ArrayLike], threshold: float = COVERAGE_THRESHOLD
) -> EqualSentences | None:
    """How much of each response of a set the rest of the set says, and how much another set, in equally many sentences.

    A response of the rest is set against one of the others. The longer one speaks, and the set of the shorter one goes
    on with further responses, as they follow each other in the set, until it has said as many sentences; of the last of
    them that many are drawn, and the share is exact over all choices. Where a set ends sooner, the other stops there
    too. The mean over all such pairs and over the responses that are covered. Where both sets are draws from one
    distribution neither side is favoured, whatever the lengths are: a plain k = 1 favours the longer responses, and
    many against one the more varied.

    itself, others: sentence vectors (t, dim) of each response. None where the set has no two responses or the other set
    none; responses without a sentence are left out.
    """
    own, theirs = ([unit(vectors) for vectors in map(np.asarray, side) if len(vectors)] for side in (itself, others))
    if len(own) < 2 or not theirs:
        return None
    rows = []
    for at, sought in enumerate(own):
        rest = own[at + 1 :] + own[:at]
        sides = [[sought @ response.T >= threshold for response in side] for side in (theirs, rest)]
        lengths = [np.array([hits.shape[1] for hits in side]) for side in sides]
        longer = np.maximum.outer(*lengths)
        spoken = np.minimum(longer, min(int(of_side.sum()) for of_side in lengths))
        by_others, by_rest = (_said_so_far(side, int(spoken.max())) for side in sides)
        first, second = np.indices(spoken.shape)
        rows.append((by_others[first, spoken - 1].mean(), by_rest[second, spoken - 1].mean(), spoken.mean()))
    return EqualSentences(*np.mean(rows, axis=0).tolist())


def _said_so_far(hits: Sequence[NDArray[np.bool_]], longest: int) -> Floats:
    """(n, longest): of a response the share that responses say from the first, second, ... on, in 1, 2, ... sentences.

    hits: for each response, which of its sentences (columns) say which sentence of the covered one (rows).
    """
    shares = np.ones((len(hits), longest))
    alone = [1.0 - _missed(said) for said in hits]
    for start in range(len(hits)):
        before, spoken = np.zeros(len(hits[0])), 0
        for step in range(len(hits)):
            said = alone[(start + step) % len(hits)][: longest - spoken]
            shares[start, spoken : spoken + len(said)] = (before + (1.0 - before) * said).mean(axis=1)
            spoken += len(said)
            if spoken == longest:
                break
            before = np.maximum(before, said[-1])
    return shares


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


def _missed(hits: NDArray[np.bool_]) -> Floats:
    """(n, s): for k = 1..n, the chance that none of k columns, drawn without replacement, holds a hit of each row.

    hits: (s, n). With h hits in a row it is C(n - h, k) / C(n, k).
    """
    n = hits.shape[1]
    left = np.arange(n, 0, -1.0)[:, None]
    chances: Floats = np.cumprod(np.maximum(left - hits.sum(axis=1), 0.0) / left, axis=0)
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
