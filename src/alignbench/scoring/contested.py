"""Contested prompts: answers that take opposite sides look alike to an embedding, so its scores say nothing there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alignbench.scores.registry import METRICS
from alignbench.scores.values import Cross, Value
from alignbench.scoring.tables import PromptScores
from alignbench.spec import Prompt

CONTESTED = "contested"  # the set of yes/no questions on which informed people differ
REASON = "the prompt is contested, and embeddings do not see which side an answer takes; a judge of stance does"


def is_contested(prompt: Prompt) -> bool:
    """Whether its answers are known to differ in stance."""
    return prompt.set == CONTESTED


def blind_to_stance(metric: str) -> bool:
    """Whether a score rests on sentence embeddings ("X is safe" and "X is not safe": cosine .985)."""
    return metric in METRICS and any(need.endswith("embeddings") for need in METRICS[metric].needs)


def without_the_blind(scores: PromptScores) -> PromptScores:
    """The scores of a contested prompt: those that are blind to stance are null with that reason."""
    within = {
        name: {metric: _null(metric, value) for metric, value in of.items()} for name, of in scores.within.items()
    }
    cross = {name: _sighted(of) for name, of in scores.cross.items()}
    return replace(scores, within=within, cross=cross, null=_sighted(scores.null))


def _null(metric: str, value: Value) -> Value:
    return Value(None, value.n, REASON) if blind_to_stance(metric) else value


def _sighted(crosses: Mapping[str, Cross]) -> dict[str, Cross]:
    blind = Cross(None, 0, None, REASON, REASON)
    return {metric: blind if blind_to_stance(metric) else cross for metric, cross in crosses.items()}
