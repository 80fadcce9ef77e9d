"""Prompts on which informed people differ: there embeddings are blind to what matters, the side a response takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alignbench.scores.registry import METRICS
from alignbench.scores.values import Cross, Value
from alignbench.scoring.batch import Given
from alignbench.store import Store

SET = "contested"  # the shipped set of such prompts
REASON = "embeddings do not see stance, and the prompt is contested: it needs a judge or an NLI model"

SEMANTIC = tuple(name for name, metric in METRICS.items() if {"embeddings", "sentence embeddings"} & {*metric.needs})
"""Scores that rest on embeddings of responses or of their sentences."""


def contested_prompts(store: Store, session: int) -> frozenset[str]:
    """Ids of the prompts of the shipped set, and of those whose responses were judged by their stance."""
    judged = {row.prompt_id for row in store.judgments(session, kind="stance")}
    return frozenset(judged | {prompt.id for prompt in store.prompts(session) if prompt.set == SET})


def unseen_scores(prompts: Iterable[str], conditions: Sequence[str], scores: Sequence[str]) -> Given:
    """Null, with the reason, for what embeddings would say of these prompts."""
    places = [(prompt, condition) for prompt in prompts for condition in conditions]
    blind = [name for name in scores if name in SEMANTIC]
    return Given(
        within={place: {name: Value(None, 0, REASON) for name in blind} for place in places},
        cross={place: {name: Cross(None, 0, None, REASON, REASON) for name in blind} for place in places},
    )
