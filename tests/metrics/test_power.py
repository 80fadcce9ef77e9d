"""How many prompts and samples a comparison needs."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.metrics.jackknife import jackknife_variance
from alignbench.metrics.power import PilotSpread, PromptDifference, prompts_needed
from alignbench.metrics.statistics import Uncertainty


def test_known_answers() -> None:
    assert prompts_needed(0.1, 0.05) == 32  # 31.4
    assert prompts_needed(0.1, 0.1) == 8  # 7.85
    assert prompts_needed(0.2, 0.05) == 126  # 125.6
    assert prompts_needed(0.1, 0.05, power=0.9) == 43  # 42.0
    assert prompts_needed(0.0, 0.05) == 1


@pytest.mark.parametrize(("sd", "effect"), [(0.1, 0.05), (0.1, 0.03)])
def test_so_many_prompts_find_the_effect_as_often_as_it_says(sd: float, effect: float) -> None:
    n = prompts_needed(sd, effect)
    gaps = np.random.default_rng(n).normal(effect, sd, (n, 2000))
    found = [one.p is not None and one.p <= 0.05 for one in Uncertainty(resamples=50).differences(gaps, gaps * 0)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


def pilot(n_prompts: int, n_samples: int, seed: int = 0) -> PilotSpread:
    """Differences with a variance of .04 over prompts and of .5 over pairs of samples, one of each condition."""
    rng = np.random.default_rng(seed)
    prompts = []
    for truth in rng.normal(0.3, 0.2, n_prompts):
        sides = truth + rng.normal(0.0, 0.5, n_samples), rng.normal(0.0, 0.5, n_samples)
        left = [[(side.sum() - one) / (n_samples - 1) for one in side] for side in sides]
        variances = [jackknife_variance(side) for side in left]
        value = float(sides[0].mean() - sides[1].mean())
        prompts.append(PromptDifference(value, sum(variances), sum(variances) * n_samples))
    return PilotSpread.of(prompts)


def test_variance_is_split_into_prompts_and_samples() -> None:
    spread = pilot(4000, 5)
    assert spread.difference == pytest.approx(0.3, abs=0.02)
    assert spread.sd == pytest.approx((0.04 + 0.5 / 5) ** 0.5, rel=0.05)
    assert spread.of_prompts == pytest.approx(0.04, rel=0.15)
    assert spread.of_samples == pytest.approx(0.5, rel=0.05)
    assert spread.sd_at(5) == pytest.approx(spread.sd)
    for n in (3, 20, 50):
        assert spread.sd_at(n) == pytest.approx(pilot(4000, n, seed=n).sd, rel=0.06)


def test_more_samples_never_take_more_prompts_and_do_not_help_forever() -> None:
    spread = pilot(200, 5)
    needed = [prompts_needed(spread.sd_at(n), 0.1) for n in (3, 5, 10, 20, 50, 10**9)]
    assert needed == sorted(needed, reverse=True)
    assert needed[-1] == prompts_needed(spread.of_prompts**0.5, 0.1) > 1


def test_samples_that_explain_all_leave_nothing_to_prompts() -> None:
    spread = PilotSpread.of([PromptDifference(value, 0.5, 2.5) for value in (0.1, 0.2, 0.3)])
    assert spread.of_prompts == 0.0


def test_too_few_samples_tell_nothing_of_more() -> None:
    spread = PilotSpread.of([PromptDifference(value) for value in (0.0, 0.1, 0.2)])
    assert (spread.of_samples, spread.sd_at(3), spread.sd_at(50)) == (None, spread.sd, spread.sd)
    with pytest.raises(ValueError, match="needs 3 prompts, there are 2"):
        PilotSpread.of([PromptDifference(0.1), PromptDifference(0.2)])


def test_the_interval_of_a_standard_deviation() -> None:
    values = np.random.default_rng(0).normal(size=10)
    spread = PilotSpread.of([PromptDifference(float(value)) for value in values])
    chi_squares = (19.0228, 2.7004)  # of 9 degrees of freedom
    assert spread.sd_ci == pytest.approx([spread.sd * (9 / q) ** 0.5 for q in chi_squares], rel=0.01)
