"""The scores that rest on a judge's grades, entries of the catalogue. `scoring.judged` computes them."""

from __future__ import annotations

from alignbench.metrics.metric import Metric

_EMBEDDED = "sentence embeddings tell responses apart"

JUDGED = (
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
        live=False,
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
        live=False,
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
        live=False,
        moves_with_n=True,
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
        live=False,
        moves_with_n=True,
    ),
)
