"""The scores of conditions: what `score_responses` and `session_scores` give back, and views and reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import Interval, PairedDifference


@dataclass(frozen=True, slots=True)
class WithinEstimate(Estimate):
    """A score of one condition.

    Attributes:
        samples: of the prompts that have a value.
        extra: means over prompts of what cells have beside their value, by name: `sd` of words, the standard deviation
            inside a cell; `equal_n` of scores that move with n, where conditions differ in samples of a prompt, the
            value at the number that all have; the same score in other units.
        difference: to the reference, by `equal_n` where there is one; None without a reference, and for it.
        equal_words: the same of random sentences at an equal word budget, where that was asked for.
    """

    samples: int = 0
    extra: Mapping[str, float | None] = field(default_factory=dict)
    difference: PairedDifference | None = None
    equal_words: Estimate | None = None

    @property
    def sd(self) -> float | None:
        return self.extra.get("sd")


@dataclass(frozen=True, slots=True)
class CrossEstimate(Estimate):
    """A similarity of one condition to the reference; of the reference to itself, the ceiling.

    Ceiling, floor and null are means over the prompts that the condition has a value for.

    Attributes:
        max_matched: mean over prompts of the expected maximum over pairs, at the number of pairs that the smallest of
            the compared sets has.
        mmd2: squared maximum mean discrepancy, with its interval.
        ceiling: the reference against itself.
        floor: the zero-shot condition against the reference; None without one.
        null: the reference's answers to other prompts in the condition's place.
        recovery: (value - floor) / (ceiling - floor), with its interval, why there is none, and a warning over 1.
        held_out: similarity to the reference's samples that the condition's context is not made of; None where it is
            made of none.
        source: similarity to the samples that it is made of.
        extra, equal_words: as in `WithinEstimate`.
    """

    max_matched: float | None = None
    mmd2: float | None = None
    mmd2_ci: Interval | None = None
    ceiling: float | None = None
    floor: float | None = None
    null: float | None = None
    recovery: float | None = None
    recovery_ci: Interval | None = None
    recovery_reason: str = ""
    warning: str = ""
    held_out: float | None = None
    source: float | None = None
    extra: Mapping[str, float | None] = field(default_factory=dict)
    equal_words: Estimate | None = None


@dataclass(frozen=True, slots=True)
class ScoreTables:
    """By condition and metric. cross: every condition against the reference, itself included; empty without one."""

    within: Mapping[str, Mapping[str, WithinEstimate]] = field(default_factory=dict)
    cross: Mapping[str, Mapping[str, CrossEstimate]] = field(default_factory=dict)
