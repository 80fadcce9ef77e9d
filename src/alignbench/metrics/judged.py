"""Scores that rest on a judge's grades of quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.metric import Metric

PATIENCE = 0.8  # p of the utility: the chance that a reader goes on to the next response


def novelty_gains(labels: Sequence[int], qualities: Sequence[float]) -> list[float]:
    """The gain of each response in order: its quality where it is the first of its class, else 0."""
    seen: set[int] = set()
    gains = []
    for label, quality in zip(labels, qualities, strict=True):
        gains.append(0.0 if label in seen else quality)
        seen.add(label)
    return gains


def novelty_utility(gains: Sequence[float], patience: float = PATIENCE) -> float:
    """(1 - p) / (1 - p^n) sum p^(i-1) gain_i: what a reader gets who goes on to the next response with chance p.

    NoveltyBench, arXiv 2504.05228. In the units of the gains (see `novelty_gains`), higher is more diverse and better.
    ValueError without a gain or unless 0 < p < 1.
    """
    if not gains or not 0.0 < patience < 1.0:
        raise ValueError(f"a utility needs a gain and 0 < p < 1; there are {len(gains)} gains and p is {patience}")
    weights = patience ** np.arange(len(gains))
    return float(weights @ np.asarray(gains, np.float64) / weights.sum())


def effective_diversity(similarities: ArrayLike, passed: Sequence[bool]) -> float | None:
    """Mean of 1 - similarity over the pairs of an (n, n) matrix, 0 for each pair with a response that did not pass.

    Effective semantic diversity (Shypula et al. 2025, arXiv 2504.12522): what diversity is left once a quality gate has
    spoken, so that noise earns nothing. Higher is more diverse; None under two responses.
    """
    s = np.asarray(similarities, np.float64)
    keep = np.asarray(passed, bool)
    n = len(s)
    if n < 2:
        return None
    i, j = np.triu_indices(n, 1)
    return float(np.where(keep[i] & keep[j], 1.0 - s[i, j], 0.0).mean())


_EMBEDDED = "sentence embeddings tell responses apart"

METRICS = (
    Metric(
        name="quality",
        title="judged quality",
        meaning=(
            "What a judge gives the responses: the mean of helpfulness, clarity, factuality, depth and engagement. "
            "No better than its judge."
        ),
        scope=("within",),
        low=1.0,
        high=5.0,
        more_diverse="",
        source="an LLM judge, as in Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version="1",
        needs=("text", "judge"),
        min_samples=1,
        order=240,
    ),
    Metric(
        name="effective_diversity",
        title="effective semantic diversity",
        meaning=(
            "What embedding diversity is left once a quality gate has spoken: a pair with a response that does not "
            "pass counts as 0, so noise earns nothing."
        ),
        scope=("within",),
        low=0.0,
        high=2.0,
        more_diverse="higher",
        source=f"Shypula et al. 2025, arXiv 2504.12522; {_EMBEDDED}",
        version="1",
        needs=("embeddings", "judge"),
        min_samples=2,
        order=250,
    ),
    Metric(
        name="distinct_passing",
        title="distinct and good enough",
        meaning=(
            "How many different things the responses that pass a quality gate say, for each response that was "
            "drawn. Failing responses count against it, so an easy prompt does not look diverse."
        ),
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="higher",
        source=f"classes of NoveltyBench, Zhang et al. 2025, arXiv 2504.05228; {_EMBEDDED}",
        version="1",
        needs=("embeddings", "judge"),
        min_samples=1,
        moves_with_n=True,
        order=260,
    ),
    Metric(
        name="novelty_utility",
        title="utility for a reader",
        meaning=(
            "The quality a reader gets who reads the responses in order and goes on with a chance of 0.8, where a "
            "response that says what an earlier one said is worth nothing."
        ),
        scope=("within",),
        low=0.0,
        high=5.0,
        more_diverse="higher",
        source=f"NoveltyBench, Zhang et al. 2025, arXiv 2504.05228; {_EMBEDDED}",
        version="1",
        needs=("embeddings", "judge"),
        min_samples=1,
        moves_with_n=True,
        order=270,
    ),
)
