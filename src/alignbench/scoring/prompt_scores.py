"""The scores of one prompt, from its cells: how responses become scores, in a batch, in a session and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from alignbench.metrics.length_matched import MatchedValue
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.contested import REASON, blind_to_stance

T = TypeVar("T")

ByCondition = Mapping[str, Mapping[str, T]]  # by condition and metric


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Conditions compared with samples of the reference on one prompt; `held_out` says with which.

    Attributes:
        cross: Each condition against them; the reference against itself over pairs of different samples.
        floor: The floor condition against the same samples, in each condition's place; empty without a floor.
        null: The reference's answers to another prompt in its place; empty without another prompt.
        max_matched: The expected maximum over single pairs, at the number of pairs that the smallest of the compared
            sets has.
    """

    cross: ByCondition[Cross] = field(default_factory=dict)
    floor: ByCondition[Cross] = field(default_factory=dict)
    null: ByCondition[Cross] = field(default_factory=dict)
    max_matched: ByCondition[float] = field(default_factory=dict)

    def __or__(self, other: Comparisons) -> Comparisons:
        """Both; the other's where two are of the same."""
        return Comparisons(
            merged(self.cross, other.cross),
            merged(self.floor, other.floor),
            merged(self.null, other.null),
            merged(self.max_matched, other.max_matched),
        )


@dataclass(frozen=True, slots=True)
class PromptScores:
    """The scores of one prompt.

    Attributes:
        within: By condition and metric.
        held_out: Each condition against the samples of the reference that its context is not made from.
        with_source: Conditions whose context is made from samples of the reference, against all of them.
        source: The same conditions against those samples alone.
        matched: Lexical scores of each other condition against the reference's own, at matched length.
    """

    within: ByCondition[Value] = field(default_factory=dict)
    held_out: Comparisons = field(default_factory=Comparisons)
    with_source: Comparisons = field(default_factory=Comparisons)
    source: ByCondition[Cross] = field(default_factory=dict)
    matched: ByCondition[MatchedValue] = field(default_factory=dict)

    def __or__(self, other: PromptScores) -> PromptScores:
        """Both; the other's where two are of the same."""
        return PromptScores(
            merged(self.within, other.within),
            self.held_out | other.held_out,
            self.with_source | other.with_source,
            merged(self.source, other.source),
            merged(self.matched, other.matched),
        )


def completed(scores: PromptScores, given: PromptScores, *, contested: bool) -> PromptScores:
    """With scores that do not come from responses, which have precedence.

    On a contested prompt those that are blind to stance are null with that reason.
    """
    both = scores | given
    return _without_the_blind(both) if contested else both


def merged(one: ByCondition[T], other: ByCondition[T]) -> dict[str, dict[str, T]]:
    """Both; the other's where two are of the same."""
    return {name: {**one.get(name, {}), **other.get(name, {})} for name in {**one, **other}}


def _without_the_blind(scores: PromptScores) -> PromptScores:
    return PromptScores(
        {
            name: {m: Value(None, value.n, REASON) if blind_to_stance(m) else value for m, value in of.items()}
            for name, of in scores.within.items()
        },
        _sighted_comparisons(scores.held_out),
        _sighted_comparisons(scores.with_source),
        _sighted(scores.source),
        scores.matched,
    )


def _sighted_comparisons(comparisons: Comparisons) -> Comparisons:
    return Comparisons(
        _sighted(comparisons.cross),
        _sighted(comparisons.floor),
        _sighted(comparisons.null),
        _lexical(comparisons.max_matched),
    )


def _sighted(scores: ByCondition[Cross]) -> dict[str, dict[str, Cross]]:
    """With a reason in the place of scores that are blind to stance."""
    blind = Cross(None, 0, None, REASON, REASON)
    return {
        name: {metric: blind if blind_to_stance(metric) else score for metric, score in of.items()}
        for name, of in scores.items()
    }


def _lexical(scores: ByCondition[T]) -> dict[str, dict[str, T]]:
    """Without the metrics that are blind to stance."""
    return {
        name: {metric: score for metric, score in of.items() if not blind_to_stance(metric)}
        for name, of in scores.items()
    }
