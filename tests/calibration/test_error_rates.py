"""What reports claim of planted nulls and effects, in few repetitions; docs/calibration.md has many."""

from __future__ import annotations

from statistics import fmean

import pytest

from alignbench.calibration.calibrate import CalibrationRequest, calibrate, run
from alignbench.calibration.experiments import EXPERIMENTS, SENTENCES
from alignbench.calibration.tally import Calibration
from alignbench.machine import usable_cores
from alignbench.reports.finding import CLAIM_KINDS

REQUEST = CalibrationRequest(prompts=(20,), repetitions=60, pool=5)
MORE = CalibrationRequest(prompts=(20,), repetitions=200, pool=15, seed=1)
MOST = 0.08  # of the repetitions of a null
TRIED_AGAIN = 0.1  # of the few: what errs in 5% does so in 1 run of 35


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(REQUEST, processes=usable_cores())


@pytest.mark.error_rates
def test_no_null_is_a_claim_in_more_than_8_percent(calibration: Calibration) -> None:
    """The few prompts that the repetitions draw from move the rate of a null, so one that errs often is tried again
    with more of them, and others."""
    wrong = {claim.experiment for claim in calibration.errors if claim.rate.value > TRIED_AGAIN}
    again = [run(MORE, each, place) for place, each in enumerate(EXPERIMENTS) if each.name in wrong]
    assert not [claim for outcome in again for claim in outcome.claims if not claim.due and claim.rate.value > MOST]


@pytest.mark.error_rates
def test_no_kind_of_sentence_is_wrong_in_more_than_8_percent_over_all_nulls(calibration: Calibration) -> None:
    rates: dict[tuple[str, str], list[float]] = {}
    for claim in calibration.errors:
        rates.setdefault((claim.kind, claim.metric), []).append(claim.rate.value)
    assert not {sentence: of for sentence, of in rates.items() if fmean(of) > MOST}


@pytest.mark.error_rates
def test_every_kind_of_sentence_is_found_where_it_is_due(calibration: Calibration) -> None:
    found = {claim.kind for claim in calibration.claims if claim.due and claim.rate.value > 0.2}
    assert found == {*CLAIM_KINDS}


@pytest.mark.error_rates
def test_intervals_hold_what_they_are_around(calibration: Calibration) -> None:
    held = [c.rate for c in calibration.coverages]
    assert min(rate.ci[1] for rate in held) >= 0.85
    assert fmean(rate.value for rate in held) >= 0.92


def test_every_kind_of_claim_has_its_metrics() -> None:
    assert {*SENTENCES} == {*CLAIM_KINDS}
    assert {kind for experiment in EXPERIMENTS for kind in experiment.due} == {*CLAIM_KINDS}
