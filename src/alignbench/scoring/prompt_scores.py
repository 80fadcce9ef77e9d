"""The scores of one prompt, from its cells: how responses become scores, in a batch, in a session and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.length_matched import MatchedValue
from alignbench.metrics.running_cell import CellPair
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.contested import REASON, blind_to_stance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A similarity to the reference's samples, by whether a condition's context is made from them.

    Attributes:
        value: To those that it is not made from.
        source: To those that it is made from.
        reason: Why there is no value.
    """

    value: float | None
    source: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PromptScores:
    """The scores of one prompt.

    Attributes:
        within: By condition and metric.
        cross: The same, each condition against the reference, itself included.
        null: By metric, the reference's answers to another prompt in a condition's place.
        max_matched: By condition and metric, the expected maximum over pairs at the number of pairs that the smallest
            of the compared sets has.
        held_out: By condition and metric, of conditions whose context is made from samples of the reference.
        matched: By condition and lexical metric, each other condition against the reference at matched length.
    """

    within: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    cross: Mapping[str, Mapping[str, Cross]] = field(default_factory=dict)
    null: Mapping[str, Cross] = field(default_factory=dict)
    max_matched: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    held_out: Mapping[str, Mapping[str, HeldOut]] = field(default_factory=dict)
    matched: Mapping[str, Mapping[str, MatchedValue]] = field(default_factory=dict)


def prompt_scores(
    cells: Mapping[str, ScoredCell],
    pairs: Mapping[str, CellPair],
    null: Mapping[str, Cross] | None = None,
    held_out: Mapping[str, Mapping[str, HeldOut]] | None = None,
    *,
    given: PromptScores | None = None,
    contested: bool = False,
) -> PromptScores:
    """The scores of a prompt.

    Args:
        cells: By condition.
        pairs: By condition, the reference's cell and its own; empty without a reference.
        null: By metric, the reference's answers to another prompt in a condition's place.
        held_out: By condition and metric, of conditions whose context is made from samples of the reference.
        given: See `completed`.
        contested: Whether answers to the prompt differ in stance.
    """
    scores = PromptScores(
        {name: cell.within() for name, cell in cells.items()},
        {name: pair.cross() for name, pair in pairs.items()},
        null or {},
        held_out=held_out or {},
    )
    return completed(scores, given or PromptScores(), contested=contested)


def completed(scores: PromptScores, given: PromptScores, *, contested: bool) -> PromptScores:
    """With scores that do not come from these cells, which have precedence.

    On a contested prompt those that are blind to stance are null with that reason.
    """
    both = replace(
        scores,
        within={name: {**of, **given.within.get(name, {})} for name, of in scores.within.items()},
        cross={name: {**of, **given.cross.get(name, {})} for name, of in scores.cross.items()},
        null={**scores.null, **given.null},
        held_out={**scores.held_out, **given.held_out},
        matched={**scores.matched, **given.matched},
    )
    return _without_the_blind(both) if contested else both


def _without_the_blind(scores: PromptScores) -> PromptScores:
    no_pairs = Cross(None, 0, None, REASON, REASON)
    return replace(
        scores,
        within={
            name: {m: Value(None, value.n, REASON) if blind_to_stance(m) else value for m, value in of.items()}
            for name, of in scores.within.items()
        },
        cross={name: _sighted(of, no_pairs) for name, of in scores.cross.items()},
        null=_sighted(scores.null, no_pairs),
        max_matched={name: _lexical(of) for name, of in scores.max_matched.items()},
        held_out={name: _sighted(of, HeldOut(None, None, REASON)) for name, of in scores.held_out.items()},
    )


def _sighted(scores: Mapping[str, T], blind: T) -> dict[str, T]:
    """blind: in the place of scores that are blind to stance."""
    return {metric: blind if blind_to_stance(metric) else score for metric, score in scores.items()}


def _lexical(scores: Mapping[str, T]) -> dict[str, T]:
    """Without the metrics that are blind to stance."""
    return {metric: score for metric, score in scores.items() if not blind_to_stance(metric)}
