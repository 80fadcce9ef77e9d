"""Rates with their intervals, and the page that has them."""

from __future__ import annotations

import json

import pytest

from alignbench.calibration.page import END, START, page
from alignbench.calibration.sections import calibration_sections
from alignbench.calibration.tally import Calibration, ClaimRate, CoverageRate, Rate
from alignbench.calibration.to_json import calibration_json

CALIBRATION = Calibration(
    "made responses",
    (5, 20),
    5,
    100,
    0,
    [
        ClaimRate("same", 20, "length", "words", False, Rate(2, 100)),
        ClaimRate("cut", 20, "length", "words", False, Rate(5, 100)),
        ClaimRate("length", 20, "length", "words", True, Rate(90, 100)),
    ],
    [
        CoverageRate("same", 5, "difference in words", Rate(95, 100)),
        CoverageRate("cut", 5, "difference in words", Rate(91, 100)),
    ],
    {"more samples": "it draws 10"},
)


def test_wilsons_interval() -> None:
    assert Rate(50, 1000).ci == pytest.approx((0.03812, 0.06536), abs=1e-4)
    low, high = Rate(0, 100).ci
    assert low == pytest.approx(0.0)
    assert high == pytest.approx(0.0370, abs=1e-4)
    assert Rate(100, 100).ci[1] == pytest.approx(1.0)


def test_the_worst_null_the_power_and_the_lowest_coverage_are_shown() -> None:
    worst, power, coverage, nulls, skipped = calibration_sections(CALIBRATION)
    assert worst.rows[0][1:] == ("-", "5.0% [2.2%, 11.2%] cut")
    assert power.rows == (
        ("the reference 30% longer", "responses are longer or shorter (words)", "-", "90.0% [82.6%, 94.5%]"),
    )
    assert coverage.rows == (("difference in words", "93.0% (91.0% cut)", "-"),)
    assert len(nulls.rows) == 2
    assert "it draws 10" in skipped.notes[0]
    assert CALIBRATION.worst == CALIBRATION.claims[1]


def test_a_page_keeps_what_is_not_between_the_marks() -> None:
    tables = page(CALIBRATION)
    assert tables.startswith(START)
    before = f"# Page\n\n{START}\nold tables\n{END}\n\nafter\n"
    after = page(CALIBRATION, before)
    assert after.startswith("# Page\n")
    assert after.endswith("after\n")
    assert "old tables" not in after
    assert page(CALIBRATION, after) == after


def test_as_json() -> None:
    record = json.loads(json.dumps(calibration_json(CALIBRATION), allow_nan=False))
    assert list(record) == [
        "source", "prompts", "n", "repetitions", "seed", "experiments", "claims", "coverage", "skipped",
    ]  # fmt: skip
    assert record["claims"][1]["rate"] == 0.05
    assert record["coverage"][0]["n"] == 100
