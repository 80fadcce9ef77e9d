"""Numbers as CSV, a line each, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from alignbench.display import spreadsheet_cell
from alignbench.metrics.estimates import Estimate
from alignbench.reports.contents import Report
from alignbench.reports.coverage_curves import Coverage
from alignbench.reports.dial import DialPoint
from alignbench.reports.pluralism import Pluralism
from alignbench.scoring.score_tables import ScoreTables, WithinEstimate
from alignbench.surveys.distribution import Way
from alignbench.surveys.summary import SurveySummary

COLUMNS = ("table", "condition", "metric", "value", "ci_low", "ci_high", "n", "reason", "ceiling", "floor", "null",
           "mmd2", "recovery", "recovery_low", "recovery_high", "difference", "p_holm", "held_out",
           "source", "with_source", "with_source_recovery")  # fmt: skip
SCORE_COLUMNS = ("value", "ci", "n", "samples", "sd", "reason", "max_matched", "mmd2", "mmd2_ci", "ceiling", "floor",
                 "null", "recovery", "recovery_ci", "recovery_reason", "warning", "held_out", "source", "with_source",
                 "with_source_max_matched", "with_source_mmd2", "with_source_recovery")  # fmt: skip

_WITH_SOURCE = "with_source"


def spreadsheet(report: Report) -> str:
    """One line for each condition and score, judged field, point of a coverage curve or a dial, cell of a matrix,
    distance of answers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for *place, estimate in _estimates(report):
        writer.writerow([*map(spreadsheet_cell, place), *_values(estimate)])
    return out.getvalue()


def score_spreadsheet(tables: ScoreTables) -> str:
    """One line for each condition and metric; an interval is two columns, what there is none of is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = (("_low", "_high") if name.endswith("ci") else ("",) for name in SCORE_COLUMNS)
    columns = [f"{name}{end}" for name, of in zip(SCORE_COLUMNS, ends, strict=True) for end in of]
    writer.writerow(["table", "condition", "metric", *columns])
    for table, condition, metric, score in _scores(tables):
        name = condition.encode("utf-8", "backslashreplace").decode()
        writer.writerow([table, name, metric, *(value for column in SCORE_COLUMNS for value in _cells(score, column))])
    return out.getvalue()


def _scores(tables: ScoreTables) -> Iterator[tuple[str, str, str, Estimate]]:
    for table, conditions in (("within", tables.within), ("cross", tables.cross)):
        for condition, scores in conditions.items():
            for metric, score in scores.items():
                yield table, condition, metric, score
    for condition, of_metrics in tables.matched.items():
        for metric, one in of_metrics.items():
            apart = one.difference
            yield "matched", condition, metric, WithinEstimate(one.value, None, apart.n, one.reason, difference=apart)
            yield "matched, of the reference", condition, metric, Estimate(one.reference, None, apart.n, one.reason)
            yield "matched difference", condition, metric, Estimate(apart.value, apart.ci, apart.n, one.reason)


def _estimates(report: Report) -> Iterator[tuple[str, str, str, Estimate]]:
    yield from _scores(report.scores)
    if any(of.refused for of in report.counts.values()):
        for condition, of in report.counts.items():
            yield "counts", condition, "refused", Estimate(of.refused, None, of.samples)
    for kind, groups in report.judged.items():
        for name, fields in groups.items():
            for field, judged in fields.items():
                yield f"judged {kind}", name, field, judged
    if report.survey is not None:
        yield from _of_survey(report.survey.summary)
    if report.pluralism is not None:
        yield from _of_pluralism(report.pluralism)
    if (diversity := report.diversity) is None:
        return
    for condition, gated in diversity.gate.conditions.items():
        for metric, change in gated.metrics.items():
            yield "before the gate", condition, metric, change.before
            yield "after the gate", condition, metric, change.after
    for dial in diversity.dials:
        for scale in dial.points:
            yield from _scale(scale)
    for way, condition, curve in _curves(report.meta.reference or "", diversity.coverage):
        for k, point in enumerate(curve, start=1):
            yield f"coverage {way}", condition, f"k={k}", point


def _of_survey(of: SurveySummary) -> Iterator[tuple[str, str, str, Estimate]]:
    for each in of.answering:
        table = _of_way(each.by)
        yield table, each.condition, "entropy", each.entropy
        yield table, each.condition, "order_consistency", each.consistency
        yield table, each.condition, "expected_consistency", each.expected_consistency
        for name in ("refusals", "unparsed", "judged") if each.by == "sample" else ():
            yield table, each.condition, name, Estimate(getattr(each, name), None, each.n or 0)
        if each.rewording is not None:
            yield table, each.condition, "paraphrase_consistency", each.rewording.consistency
            yield table, each.condition, "expected_paraphrase_consistency", each.rewording.expected
        if each.outside is not None:
            yield table, each.condition, "outside", each.outside
    for to, distances in (
        ("uniform", of.to_uniform),
        ("group", of.to_groups),
        ("condition", of.between),
        ("way", of.ways),
    ):
        for one in distances:
            table = f"{_of_way(one.by)} to {to}" if to == "uniform" else f"{_of_way(one.by)} to {to} {one.other}"
            for name, mean in {**one.distances, "tv_by_chance": one.floor}.items():
                yield table, one.condition, name, mean
    for steered in of.steering:
        apart = steered.difference
        value = WithinEstimate(apart.value, apart.ci, apart.n, difference=apart)
        yield f"{_of_way(steered.by)} steering to {steered.group}", steered.condition, "tv", value


def _of_way(way: Way) -> str:
    """Replies are what a survey is of where nothing else is said."""
    return "survey" if way == "sample" else f"survey by {way}"


def _of_pluralism(of: Pluralism) -> Iterator[tuple[str, str, str, Estimate]]:
    for name, one in of.stances.conditions.items():
        for metric, of_set, apart in (
            ("stance_entropy", one.entropy, one.entropy_difference),
            ("stance_coverage", one.coverage, one.coverage_difference),
            ("names_both", one.names_both, None),
        ):
            value = WithinEstimate(of_set.value, of_set.ci, of_set.n, of_set.reason, difference=apart)
            yield "stances", name, metric, value
        for k, point in enumerate(one.union, start=1):
            yield "stances union", name, f"k={k}", point
        if (where := one.where_it_splits) is not None:
            both = where.names_both
            value = WithinEstimate(both.value, both.ci, both.n, both.reason, difference=where.difference)
            yield "stances where it splits, of the reference", name, "names_both", value
    for matrix in of.matrices:
        for (a, b), cell in matrix.cells.items():
            yield f"matrix {matrix.metric}", a, b, cell


def _scale(point: DialPoint) -> Iterator[tuple[str, str, str, Estimate]]:
    """What no other table has of a scale."""
    name, bits = point.condition, point.bits
    yield "dial", name, "scale", Estimate(point.scale)
    said = bits.estimate.reason or bits.no_kl
    yield "dial", name, "bits", Estimate(bits.estimate.value, bits.estimate.ci, bits.estimate.n, said)
    yield "dial", name, "ended", point.ended
    for metric, one in point.matched.items():
        of = one.estimate
        yield "dial matched", name, metric, WithinEstimate(of.value, of.ci, of.n, of.reason, difference=one.difference)
    if point.quality.value is not None:
        yield "dial", name, "quality", point.quality


def _curves(reference: str, coverage: Coverage) -> Iterator[tuple[str, str, Sequence[Estimate]]]:
    yield "of_itself", reference, coverage.reference
    for condition, covered in coverage.conditions.items():
        yield "of_reference", condition, covered.of_reference
        yield "by_reference", condition, covered.by_reference
        yield "of_itself", condition, covered.of_itself


def _values(estimate: Estimate) -> Iterator[object]:
    """The cells of `COLUMNS` behind the first three."""
    difference = getattr(estimate, "difference", None)
    for column in ("value", "ci", "n"):
        yield from _cells(estimate, column)
    yield spreadsheet_cell(estimate.reason)
    for column in ("ceiling", "floor", "null", "mmd2", "recovery", "recovery_ci"):
        yield from _cells(estimate, column)
    yield from _cells(difference, "value")
    yield from _cells(difference, "p_holm")
    for column in ("held_out", "source", "with_source", "with_source_recovery"):
        yield from _cells(estimate, column)


def _cells(values: object, field: str) -> tuple[object, ...]:
    """A field as a cell, an interval as two; empty where there is none."""
    if field.startswith(_WITH_SOURCE):
        values, field = getattr(values, _WITH_SOURCE, None), field.removeprefix(_WITH_SOURCE).lstrip("_") or "value"
    value = getattr(values, field, None)
    if field.endswith("ci"):
        return value or ("", "")
    return ("" if value is None else value,)
