"""Lexical scores as they come and at matched length: in the tables and in the figure."""

from __future__ import annotations

from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.contents import Report
from alignbench.reports.figures import figures
from alignbench.reports.matched_sections import matched_sections
from alignbench.reports.sections import sections
from alignbench.scoring.score_tables import MatchedEstimate, ScoreTables, WithinEstimate
from tests.support.reported import meta

RAW = PairedDifference(-0.2, (-0.25, -0.15), 0.001, 50, 0.002)
CUT = PairedDifference(0.01, (-0.02, 0.04), 0.5, 48, 0.5)
TABLES = ScoreTables(
    {
        "base": {"words": WithinEstimate(90.0, n=50), "jaccard": WithinEstimate(0.1, n=50, difference=RAW)},
        "chat": {"words": WithinEstimate(400.0, n=50), "jaccard": WithinEstimate(0.3, n=50)},
        "short": {"words": WithinEstimate(2.0, n=50), "jaccard": WithinEstimate(0.2, n=50, difference=RAW)},
    },
    matched={
        "base": {"jaccard": MatchedEstimate(0.21, 0.2, CUT, 17)},
        "short": {"jaccard": MatchedEstimate(None, None, PairedDifference(None, None, None, 0), 99, "too short")},
    },
)


def test_raw_and_matched_stand_side_by_side() -> None:
    (section,) = matched_sections(TABLES, "chat")
    assert section.rows[0] == (
        "base", "lexical similarity ↓", "0.100", "-0.200 [-0.250, -0.150] p = 0.002 *",
        "0.210", "0.200", "+0.010 [-0.020, 0.040] p = 0.500", "48", "17",
    )  # fmt: skip
    assert section.rows[1][4:] == ("- (too short)", "-", "", "0", "99")
    assert list(matched_sections(ScoreTables(TABLES.within), None)) == []


def test_the_table_of_all_scores_has_the_difference_at_matched_length_below_the_raw_one() -> None:
    report = Report(1, TABLES, meta=meta())
    (table,) = [one for one in sections(report) if one.title.startswith("Within a condition")]
    below = {row[0].strip(): row[1:] for row in table.rows}
    assert below["the same at matched length"] == ("+0.010 [-0.020, 0.040] p = 0.500", "", "")
    (page,) = [one for one in sections(report, by_condition=True) if one.title.startswith("Within a condition")]
    base = page.rows[0][2].split("\n")
    assert base[1:] == [
        "-0.200 [-0.250, -0.150] p = 0.002 *",
        "matched length: +0.010 [-0.020, 0.040] p = 0.500",
    ]


def test_the_figure_has_both_differences() -> None:
    (figure, *_) = figures(Report(1, TABLES, meta=meta()))
    assert (figure.name, figure.panels) == ("diversity", 3)
    assert "matched length" in figure.caption
    assert "<svg" in figure.svg()
    (raw, *_) = figures(Report(1, ScoreTables(TABLES.within), meta=meta()))
    assert raw.panels == 2
