"""Contested prompts: answers that take opposite sides look alike to an embedding, so its scores say nothing there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TypeVar

from alignbench.errors import AlignbenchError
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Cross, Value
from alignbench.prompts import load_prompts
from alignbench.scoring.aggregate import PromptScores
from alignbench.spec import Prompt
from alignbench.store import Store

T = TypeVar("T")

CONTESTED = "contested"  # the set of yes/no questions on which informed people differ
REASON = "the prompt is contested, and embeddings do not see which side an answer takes; a judge of stance does"


def is_contested(prompt: Prompt) -> bool:
    """Whether its answers are known to differ in stance."""
    return prompt.set == CONTESTED


def contested_prompts(store: Store, session: int) -> frozenset[str]:
    """Ids of the prompts that are known to be, and of those whose responses were judged by their stance."""
    judged = {row.prompt_id for row in store.judgments(session, kind="stance")}
    return frozenset(judged | {prompt.id for prompt in store.prompts(session) if is_contested(prompt)})


@cache
def contested_texts() -> frozenset[str]:
    """The prompts that ship as contested; empty where they cannot be read."""
    try:
        return frozenset(prompt.text for prompt in load_prompts(CONTESTED))
    except AlignbenchError:
        return frozenset()


def blind_to_stance(metric: str) -> bool:
    """Whether a score rests on sentence embeddings ("X is safe" and "X is not safe": cosine .985)."""
    return metric in METRICS and any(need.endswith("embeddings") for need in METRICS[metric].needs)


def without_the_blind(scores: PromptScores) -> PromptScores:
    """The scores of a contested prompt: those that are blind to stance are null with that reason."""
    within = {
        name: {metric: _null(metric, value) for metric, value in of.items()} for name, of in scores.within.items()
    }
    return replace(
        scores,
        within=within,
        cross={name: _sighted(of) for name, of in scores.cross.items()},
        null=_sighted(scores.null),
        max_matched={name: _lexical(of) for name, of in scores.max_matched.items()},
        held_out={name: _lexical(of) for name, of in scores.held_out.items()},
        spreads={name: _lexical(of) for name, of in scores.spreads.items()},
    )


def _null(metric: str, value: Value) -> Value:
    return Value(None, value.n, REASON) if blind_to_stance(metric) else value


def _lexical(of: Mapping[str, T]) -> dict[str, T]:
    """Without the metrics that are blind to stance."""
    return {metric: value for metric, value in of.items() if not blind_to_stance(metric)}


def _sighted(crosses: Mapping[str, Cross]) -> dict[str, Cross]:
    blind = Cross(None, 0, None, REASON, REASON)
    return {metric: blind if blind_to_stance(metric) else cross for metric, cross in crosses.items()}
