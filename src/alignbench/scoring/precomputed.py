"""Scores that come from elsewhere than the texts: a model's, or imported ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.metrics.values import Value
from alignbench.scoring.prompt_scores import PromptScores


@dataclass(frozen=True, slots=True)
class PrecomputedScores:
    """Scores of prompts.

    Attributes:
        within: By (prompt, condition) and metric, of one condition's responses.
        compared: By prompt, of each condition with the reference, itself included (see `held_out`).
    """

    within: Mapping[tuple[str, str], Mapping[str, Value]] = field(default_factory=dict)
    compared: Mapping[str, PromptScores] = field(default_factory=dict)

    def __or__(self, other: PrecomputedScores) -> PrecomputedScores:
        """Both; the other's where two are of the same."""
        nothing = PromptScores()
        return PrecomputedScores(
            {key: {**self.within.get(key, {}), **other.within.get(key, {})} for key in {**self.within, **other.within}},
            {
                prompt: self.compared.get(prompt, nothing) | other.compared.get(prompt, nothing)
                for prompt in {**self.compared, **other.compared}
            },
        )
