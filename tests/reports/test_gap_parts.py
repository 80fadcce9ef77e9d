"""Where a gap is, in the report: shares only where there is a gap to take shares of."""

from __future__ import annotations

from dataclasses import replace

from alignbench.reports.contents import Report, ReportedCondition
from alignbench.reports.gap_parts import gap_parts
from alignbench.reports.sections import sections
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables
from alignbench.spec import Condition
from tests.support.reported import meta
from tests.support.samples import BASE

GAP = CrossEstimate(
    0.5, (0.3, 0.7), 20,
    extra={"bits": 40.0, "in_parts": 1.0, "opening_bits": 20.0, "format_bits": -1.0, "rest_bits": 11.0},
)  # fmt: skip
SAID = (
    "Of the gap of base 50% is in the first 5 tokens of a response, -2% in its format, 25% in its end, 28% in the rest."
)


def test_the_report_says_where_the_gap_is() -> None:
    own = replace(GAP, value=0.0, ci=(0.0, 0.0), extra={**GAP.extra, "bits": 0.0})
    tables = ScoreTables({"chat": {}, "base": {}}, {"chat": {"alignment_gap": own}, "base": {"alignment_gap": GAP}})
    base = ReportedCondition(Condition.zero_shot(BASE), "floor")
    report = Report(1, tables, meta=meta(conditions={"base": base}))
    (section,) = [one for one in sections(report) if one.title.startswith("alignment gap")]
    assert section.notes == (SAID,)


def test_there_are_no_shares_of_what_may_be_none_or_is_not_told_apart() -> None:
    for score in (
        replace(GAP, ci=(-0.1, 0.7)),
        replace(GAP, ci=None),
        replace(GAP, extra={**GAP.extra, "in_parts": 0.9}),
        replace(GAP, extra={"bits": 40.0, "in_parts": 0.0}),
        replace(GAP, extra={}),
    ):
        assert not list(gap_parts({"base": score}))
