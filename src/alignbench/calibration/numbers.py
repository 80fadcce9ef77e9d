"""The numbers of a report that have an interval, to see how often it holds the truth."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.calibration.planted import OTHER
from alignbench.metrics.intervals import Interval
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.contents import Report

Number = tuple[float, Interval | None]


def numbers(report: Report) -> dict[str, Number]:
    """Of the other condition, by what they are; those that have a value."""
    return {name: (value, ci) for name, value, ci in _numbers(report) if value is not None}


def _numbers(report: Report) -> Iterator[tuple[str, float | None, Interval | None]]:
    for metric, score in report.scores.within[OTHER].items():
        if metric in METRICS:
            yield from _difference(f"difference in {metric}", score.difference)
    for metric, matched in report.scores.matched.get(OTHER, {}).items():
        yield from _difference(f"difference in {metric} at matched length", matched.difference)
    for metric, similarity in report.scores.cross[OTHER].items():
        yield f"{metric} to the reference", similarity.value, similarity.ci
        yield f"MMD² of {metric}", similarity.mmd2, similarity.mmd2_ci
        yield f"recovery by {metric}", similarity.recovery, similarity.recovery_ci
    of_stances = None if report.pluralism is None else report.pluralism.stances.conditions.get(OTHER)
    if of_stances is not None:
        yield from _difference("difference in stance_entropy", of_stances.entropy_difference)
        yield from _difference("difference in stance_coverage", of_stances.coverage_difference)
        if of_stances.where_it_splits is not None:
            yield from _difference("difference in names_both where it splits", of_stances.where_it_splits.difference)
    diversity = report.diversity
    gated = None if diversity is None else diversity.gate.conditions.get(OTHER)
    for metric, gap in {} if gated is None else gated.gap.items():
        yield from _difference(f"gap in {metric} before the gate", gap.before)
        yield from _difference(f"gap in {metric} after the gate", gap.after)
        yield f"the gate's share of {metric}", gap.share.value, gap.share.ci


def _difference(name: str, difference: PairedDifference | None) -> Iterator[tuple[str, float | None, Interval | None]]:
    if difference is not None:
        yield name, difference.value, difference.ci
