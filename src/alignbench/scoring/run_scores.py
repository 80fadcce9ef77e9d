"""The scores of a run, from its live ones."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.metrics import registry
from alignbench.metrics.statistics import MIN_PROMPTS, RESAMPLES, Bootstrap
from alignbench.scoring.aggregate import COUNTS, PromptScores, score_tables
from alignbench.scoring.batch import similarity_spreads
from alignbench.scoring.contested import is_contested, without_the_blind
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.floor import Floor
from alignbench.scoring.held_out import held_out, source_conditions
from alignbench.scoring.live import LiveScores
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

    reference: name of a condition. responses, embeddings: the same samples and their vectors, for intervals over
    the samples of few prompts, and for conditions whose contexts tell of samples of the reference. resamples, seed: of
    the bootstrap over prompts.
    """
    names = [condition.name for condition in conditions]
    ids = sorted(prompt.id for prompt in prompts)  # their order decides nothing but the resamples
    others = other_prompt(ids, seed)
    sources = source_conditions(conditions, reference) if responses is not None else {}
    spreads = {}
    if responses is not None and reference is not None and len(ids) < MIN_PROMPTS:
        wanted = ScoreRequest(within=(), cross=registry.CROSS, reference=reference)
        spreads = similarity_spreads(responses, wanted, embeddings)
    contested = {prompt.id for prompt in prompts if is_contested(prompt)}
    scores = []
    for id in ids:
        within = {name: live.within(id, name) for name in names}
        if reference is None:
            scores.append(PromptScores(within))
            continue
        cross = {name: live.cross(id, reference, name) for name in names}
        null = live.shuffled(id, others[id], reference) if id in others else {}
        hidden = {}
        if sources and responses is not None:
            hidden = held_out(responses, id, embeddings, reference, sources, registry.CROSS)
        scores.append(PromptScores(within, cross, null, held_out=hidden, spreads=spreads.get(id, {})))
    return score_tables(
        [
            without_the_blind(prompt_scores) if id in contested else prompt_scores
            for id, prompt_scores in zip(ids, scores, strict=True)
        ],
        names,
        within=(*registry.WITHIN, *COUNTS),
        cross=registry.CROSS,
        reference=reference,
        floor=floor.name,
        no_floor=floor.reason,
        bootstrap=Bootstrap(resamples=resamples, seed=seed),
    )
