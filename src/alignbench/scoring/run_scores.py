"""The scores of a run, from its live ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alignbench.contexts.source_samples import source_conditions
from alignbench.metrics import registry
from alignbench.metrics.intervals import Interval
from alignbench.metrics.statistics import RESAMPLES, Uncertainty
from alignbench.scoring.aggregate import COUNTS, ScoreKey, score_tables
from alignbench.scoring.batch import jackknifed, matched_lengths
from alignbench.scoring.contested import is_contested
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.floor import Floor
from alignbench.scoring.live import LiveScores
from alignbench.scoring.matched import MatchedValues
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.scorer import ScoreRequest
from alignbench.spec import Condition, Prompt


def session_scores(
    live: LiveScores,
    prompts: Sequence[Prompt],
    conditions: Sequence[Condition],
    reference: str | None,
    floor: Floor,
    *,
    responses: Responses | None = None,
    embeddings: Embeddings | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> ScoreTables:
    """The live scores of a session's prompts and conditions; see `aggregate.score_tables`.

    Args:
        live: Has the samples.
        prompts: The session's.
        conditions: The session's.
        reference: Name of a condition; None compares nothing.
        floor: The zero-shot condition, or why there is none.
        responses: The same samples, for intervals over the samples of one prompt and for what is compared at matched
            length.
        embeddings: Their vectors.
        resamples: Of the prompts, for intervals.
        seed: Of the resamples, and of the shuffled null.
    """
    names = [condition.name for condition in conditions]
    sources = source_conditions(conditions, reference)
    others = other_prompt((prompt.id for prompt in prompts), seed)
    intervals: dict[ScoreKey, Interval] = {}
    matched: dict[str, MatchedValues] = {}
    if responses is not None:
        request = ScoreRequest(
            within=registry.WITHIN, cross=registry.CROSS, reference=reference, floor=floor.name, seed=seed
        )
        intervals = jackknifed(responses, request, embeddings, lambda _: sources)
        matched = matched_lengths(responses, request)
    scores = []
    for prompt in sorted(prompts, key=lambda prompt: prompt.id):  # the order decides nothing but the resamples
        computed = live.prompt_scores(
            prompt.id, names, reference, floor=floor.name, null_prompt=others.get(prompt.id),
            sources=sources, contested=is_contested(prompt),
        )  # fmt: skip
        scores.append(replace(computed, matched=matched.get(prompt.id, {})))
    return score_tables(
        scores,
        names,
        within=(*registry.WITHIN, *COUNTS),
        cross=registry.CROSS,
        reference=reference,
        floor=floor.name,
        no_floor=floor.reason,
        uncertainty=Uncertainty(resamples=resamples, seed=seed),
        jackknifed=intervals,
    )
