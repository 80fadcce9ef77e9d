"""Diversity before and after a quality gate: how much of a difference is that bad responses are gone.

A gate leaves fewer samples, so only scores that do not move with their number are compared. It also leaves the prompts
on which several responses pass, which are the easy ones; so before and after are taken over the same prompts.
After Lake, Choi and Durrett 2024 (arXiv 2406.17692) and Shypula et al. 2025 (arXiv 2504.12522).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.judging.qualities import THRESHOLD, Qualities
from alignbench.metrics.estimates import (
    Estimate,
    PromptValues,
    mean_estimate,
    paired_differences,
    share_estimate,
)
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.metrics.values import Value, WordMode
from alignbench.reports.cells import cell_values
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.model_based.judge import EFFECTIVE, PASSING, JudgedScores
from alignbench.scoring.responses import Responses

QUALITY = "mean of the judged aspects"


@dataclass(frozen=True, slots=True)
class GateChange:
    """A score before and after the gate, over the prompts with two responses that pass."""

    before: Estimate
    after: Estimate
    change: PairedDifference


@dataclass(frozen=True, slots=True)
class GateGap:
    """How far a condition is from the reference before and after both were gated."""

    before: PairedDifference
    after: PairedDifference
    share: Estimate  # of the difference, what the gate took away


@dataclass(frozen=True, slots=True)
class GatedCondition:
    """A judged condition.

    Attributes:
        judged: samples with a grade.
        passing: how many of them pass.
        share: of those that pass, mean over prompts.
        distinct_passing: classes of passing responses per sample that was judged.
        effective_diversity: of the responses that pass.
        metrics: by name, before and after.
        gap: by metric, to the reference; empty for it, and where it was not judged.
    """

    judged: int
    passing: int
    share: Estimate
    distinct_passing: Estimate
    effective_diversity: Estimate
    metrics: Mapping[str, GateChange]
    gap: Mapping[str, GateGap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QualityGate:
    """Conditions behind a gate of least quality; none where `reason` says why.

    Attributes:
        threshold: least quality that passes.
        judge: whose judgments; None for nobody's.
        quality: what it is.
    """

    threshold: float
    judge: str | None
    reason: str = ""
    conditions: Mapping[str, GatedCondition] = field(default_factory=dict)
    quality: str = QUALITY


def quality_gate(
    responses: Responses,
    qualities: Qualities,
    metrics: Sequence[str],
    mode: WordMode,
    embeddings: Embeddings | None,
    unseen: frozenset[str],
    reference: str | None,
    uncertainty: Uncertainty,
    threshold: float = THRESHOLD,
) -> QualityGate:
    """Every judged condition before and after the gate.

    Args:
        responses: those that were judged are gated.
        qualities: of samples.
        metrics: names of scores of one set; those that move with n are left out.
        mode: how texts become words.
        embeddings: of the responses; None without.
        unseen: prompts on which embeddings say nothing.
        reference: the condition that gaps are to; None without one.
        uncertainty: of the means.
        threshold: least quality that passes.
    """
    judge = qualities.judge or None
    if not qualities.of:
        return QualityGate(
            threshold, judge, "no quality judgments; make them with alignbench judge SESSION --kind quality"
        )
    live = [METRICS[name] for name in metrics if METRICS[name].live and "within" in METRICS[name].scope]
    scored = [metric.name for metric in live if metric.more_diverse and not metric.moves_with_n]
    names = dict.fromkeys(condition for condition, _, _ in qualities.of)
    judged = JudgedScores(qualities, embeddings, threshold).within(responses)
    gates = {
        name: _gated(name, responses, qualities, judged, scored, mode, embeddings, unseen, threshold)
        for name in responses.conditions
        if name in names
    }
    gaps = {metric: _gaps(gates, metric, reference, uncertainty) for metric in scored} if reference in gates else {}
    conditions = {name: _condition(gate, scored, uncertainty) for name, gate in gates.items()}
    return QualityGate(
        threshold,
        judge,
        conditions={
            name: replace(gated, gap={metric: of[name] for metric, of in gaps.items() if name in of})
            for name, gated in conditions.items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Gated:
    """Columns over prompts.

    Attributes:
        before, after: by metric, of the prompts with two responses that pass
    """

    judged: int
    passing: int
    share: PromptValues
    distinct: PromptValues
    effective: PromptValues
    before: Mapping[str, PromptValues]
    after: Mapping[str, PromptValues]


def _gated(
    condition: str,
    responses: Responses,
    qualities: Qualities,
    judged: Mapping[tuple[str, str], Mapping[str, Value]],
    metrics: Sequence[str],
    mode: WordMode,
    embeddings: Embeddings | None,
    unseen: frozenset[str],
    threshold: float,
) -> _Gated:
    n_judged = n_passing = 0
    share: dict[str, float | None] = {}
    distinct: dict[str, float | None] = {}
    effective: dict[str, float | None] = {}
    before: dict[str, dict[str, float | None]] = {metric: {} for metric in metrics}
    after: dict[str, dict[str, float | None]] = {metric: {} for metric in metrics}
    for prompt in responses.prompts:
        texts = responses.cells(prompt).get(condition, {})
        graded = {i: text for i, text in texts.items() if (condition, prompt, i) in qualities.of}
        passed = {i: text for i, text in graded.items() if qualities.of[condition, prompt, i] >= threshold}
        if not graded:
            continue
        n_judged, n_passing = n_judged + len(graded), n_passing + len(passed)
        share[prompt] = len(passed) / len(graded)
        blind = prompt in unseen
        distinct[prompt] = None if blind else judged[prompt, condition][PASSING].value
        effective[prompt] = None if blind else judged[prompt, condition][EFFECTIVE].value
        if len(passed) < 2:
            continue
        vectors = None if blind else embeddings
        values = [cell_values(cell, metrics, mode, vectors) for cell in (graded, passed)]
        for metric in metrics:
            pair = [scores[metric].value for scores in values]
            before[metric][prompt], after[metric][prompt] = pair if None not in pair else (None, None)
    return _Gated(n_judged, n_passing, share, distinct, effective, before, after)


def _condition(gate: _Gated, metrics: Sequence[str], uncertainty: Uncertainty) -> GatedCondition:
    few = "no prompt has two responses that pass"
    blind = "no embeddings"
    changes = paired_differences(
        {m: (gate.after[m], gate.before[m]) for m in metrics}, uncertainty, {m: METRICS[m].bounds for m in metrics}
    )
    return GatedCondition(
        judged=gate.judged,
        passing=gate.passing,
        share=mean_estimate(gate.share, uncertainty, bounds=UNIT),
        distinct_passing=mean_estimate(gate.distinct, uncertainty, blind, METRICS[PASSING].bounds),
        effective_diversity=mean_estimate(gate.effective, uncertainty, blind, METRICS[EFFECTIVE].bounds),
        metrics={
            metric: GateChange(
                mean_estimate(gate.before[metric], uncertainty, few, METRICS[metric].bounds),
                mean_estimate(gate.after[metric], uncertainty, few, METRICS[metric].bounds),
                changes[metric],
            )
            for metric in metrics
        },
    )


def _gaps(
    gates: Mapping[str, _Gated], metric: str, reference: str | None, uncertainty: Uncertainty
) -> dict[str, GateGap]:
    """Of every other condition to the reference, by one metric."""
    own = gates[reference or ""]
    others = {name: gate for name, gate in gates.items() if name != reference}
    ungated = {name: (gate.before[metric], own.before[metric]) for name, gate in others.items()}
    gated = {name: (gate.after[metric], own.after[metric]) for name, gate in others.items()}
    # The same prompts before and after, or the comparison is of prompts.
    bounds = dict.fromkeys(others, METRICS[metric].bounds)
    before = paired_differences({name: _both(ungated[name], gated[name]) for name in others}, uncertainty, bounds)
    after = paired_differences(gated, uncertainty, bounds)
    gaps = {}
    for name in others:
        first, second = _apart(ungated[name]), _apart(gated[name])
        closed = {p: a - b for p, a in first.items() if (b := second.get(p)) is not None}
        share = share_estimate(closed, {p: first[p] for p in closed}, uncertainty)
        gaps[name] = GateGap(before[name], after[name], share)
    return gaps


def _both(
    pair: tuple[PromptValues, PromptValues], other: tuple[PromptValues, PromptValues]
) -> tuple[PromptValues, PromptValues]:
    """The columns of `pair` on the prompts on which `other` has values."""
    there = [p for p, value in other[0].items() if value is not None and other[1].get(p) is not None]
    first, second = pair
    return {p: first.get(p) for p in there}, {p: second.get(p) for p in there}


def _apart(pair: tuple[PromptValues, PromptValues]) -> dict[str, float]:
    first, second = pair
    return {p: a - b for p, a in first.items() if a is not None and (b := second.get(p)) is not None}
