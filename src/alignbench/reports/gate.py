"""Diversity before and after a quality gate: how much of a difference is that bad responses are gone.

A gate leaves fewer samples, so only scores that do not move with their number are compared. It leaves the longer
responses, so lexical scores are compared at matched length (see `gate_columns`). It also leaves the prompts on which
several responses pass, which are the easy ones; so before and after are taken over the same prompts.
After Lake, Choi and Durrett 2024 (arXiv 2406.17692) and Shypula et al. 2025 (arXiv 2504.12522).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alignbench.judging.qualities import THRESHOLD, Qualities
from alignbench.metrics.estimates import (
    NO_SHARE,
    Estimate,
    PromptValues,
    mean_estimate,
    mean_estimates,
    paired_differences,
    share_estimate,
)
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.registry import METRICS
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.metrics.values import WordMode
from alignbench.reports.gate_columns import GateRows, GateScores, Rows, gate_rows
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.model_based.judge import EFFECTIVE, PASSING, JudgedScores
from alignbench.scoring.responses import Responses

QUALITY = "mean of the judged aspects"

ScoreOf = tuple[str, str]  # condition, metric
_BEFORE, _AFTER = 0, 2  # where the numbers of a gap begin


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
    class_threshold: float = CLASS_THRESHOLD,
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
        class_threshold: cosine from which two responses are one answer.
    """
    judge = qualities.judge or None
    if not qualities.of:
        return QualityGate(
            threshold, judge, "no quality judgments; make them with alignbench judge SESSION --kind quality"
        )
    live = [METRICS[name] for name in metrics if METRICS[name].live and "within" in METRICS[name].scope]
    scored = [metric.name for metric in live if metric.more_diverse and not metric.moves_with_n]
    scores = GateScores(scored, mode, embeddings, unseen, uncertainty.seed)
    judged = JudgedScores(qualities, embeddings, threshold, class_threshold)
    return gate_of(gate_rows(responses, judged, scores, reference), judge, threshold, uncertainty)


def gate_of(rows: GateRows, judge: str | None, threshold: float, uncertainty: Uncertainty) -> QualityGate:
    """The means and differences of rows over prompts."""
    gaps = _gaps(_by_score(rows.gaps), uncertainty)
    changes = _changes(_by_score(rows.sides), uncertainty)

    def judged_score(condition: str, score: str) -> Estimate:
        return mean_estimate(rows.judged[condition][score], uncertainty, "no embeddings", METRICS[score].bounds)

    return QualityGate(
        threshold,
        judge,
        conditions={
            name: GatedCondition(
                judged=sum(len(cell.graded) for cell in of.values()),
                passing=sum(len(cell.passed) for cell in of.values()),
                share=mean_estimate(
                    {p: len(c.passed) / len(c.graded) for p, c in of.items()}, uncertainty, bounds=UNIT
                ),
                distinct_passing=judged_score(name, PASSING),
                effective_diversity=judged_score(name, EFFECTIVE),
                metrics={metric: changes[name, metric] for metric in rows.sides[name]},
                gap={metric: gaps[name, metric] for metric in rows.gaps.get(name, {})},
            )
            for name, of in rows.cells.items()
        },
    )


def _by_score(rows: Mapping[str, Mapping[str, Rows]]) -> dict[ScoreOf, Rows]:
    return {(name, metric): of for name, by_metric in rows.items() for metric, of in by_metric.items()}


def _changes(sides: Mapping[ScoreOf, Rows], uncertainty: Uncertainty) -> dict[ScoreOf, GateChange]:
    """Of each condition and score, corrected for all of them."""
    few = "no prompt has two responses that pass"
    bounds = {key: METRICS[key[1]].bounds for key in sides}
    columns = {key: (_column(rows, 0), _column(rows, 1)) for key, rows in sides.items()}
    changes = paired_differences(
        {key: (after, before) for key, (before, after) in columns.items()}, uncertainty, bounds
    )
    both = {(key, side): of[side] for key, of in columns.items() for side in (0, 1)}
    means = mean_estimates(both, uncertainty, {key: bounds[key[0]] for key in both}, dict.fromkeys(both, few))
    return {key: GateChange(means[key, 0], means[key, 1], changes[key]) for key in columns}


def _gaps(gaps: Mapping[ScoreOf, Rows], uncertainty: Uncertainty) -> dict[ScoreOf, GateGap]:
    """Of each condition and score to the reference, on the same prompts before and after, corrected for all of them."""
    pairs = {
        (key, at): (_column(rows, at), _column(rows, at + 1)) for key, rows in gaps.items() for at in (_BEFORE, _AFTER)
    }
    bounds = {(key, at): METRICS[key[1]].bounds for key, at in pairs}
    apart = paired_differences(pairs, uncertainty, bounds)
    return {
        key: GateGap(apart[key, _BEFORE], apart[key, _AFTER], _share(rows, apart[key, _BEFORE], uncertainty))
        for key, rows in gaps.items()
    }


def _share(rows: Rows, before: PairedDifference, uncertainty: Uncertainty) -> Estimate:
    """Of the gap, what is gone behind the gate: nothing is a share of a gap that may be none."""
    if not before.clear:
        return Estimate(n=before.n, reason=NO_SHARE)
    whole = {prompt: own - other for prompt, (own, other, *_) in rows.items()}
    closed = {prompt: whole[prompt] - (own - other) for prompt, (*_, own, other) in rows.items()}
    return share_estimate(closed, whole, uncertainty)


def _column(rows: Rows, at: int) -> PromptValues:
    return {prompt: numbers[at] for prompt, numbers in rows.items()}
