"""Scores that come from elsewhere than the texts: a model's, or imported ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.metrics.values import Cross, Value


@dataclass(frozen=True, slots=True)
class PrecomputedScores:
    """Scores by (prompt, condition) and metric.

    Attributes:
        within: Of one condition's responses.
        cross: Of each condition against the reference, itself included.
        null: By prompt and metric, the reference's answers to another prompt in a condition's place.
    """

    within: Mapping[tuple[str, str], Mapping[str, Value]] = field(default_factory=dict)
    cross: Mapping[tuple[str, str], Mapping[str, Cross]] = field(default_factory=dict)
    null: Mapping[str, Mapping[str, Cross]] = field(default_factory=dict)

    def __or__(self, other: PrecomputedScores) -> PrecomputedScores:
        """Both; the other's where two are of the same."""
        return PrecomputedScores(
            {key: {**self.within.get(key, {}), **other.within.get(key, {})} for key in {**self.within, **other.within}},
            {key: {**self.cross.get(key, {}), **other.cross.get(key, {})} for key in {**self.cross, **other.cross}},
            {key: {**self.null.get(key, {}), **other.null.get(key, {})} for key in {**self.null, **other.null}},
        )
