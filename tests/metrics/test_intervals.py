"""How often 95% intervals cover the truth, and what they never do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.intervals import Ratios, clipped, percentile_interval, resampled, student_t
from alignbench.metrics.statistics import Uncertainty

NAN = float("nan")
REPETITIONS = 1000


def coverage(draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray], truth: float, n: int) -> float:
    """Of the intervals around the means of 1,000 draws of n prompts."""
    values = draw(np.random.default_rng(n), (n, REPETITIONS))
    ends = np.array(Uncertainty(resamples=1000).intervals(values))
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


def percentiles(values: np.ndarray) -> np.ndarray:
    means = Uncertainty(resamples=1000).means(values)
    return np.quantile(means, [0.025, 0.975], axis=0)


@pytest.mark.parametrize(("n", "before"), [(2, 0.50), (3, 0.75), (5, 0.84), (10, 0.90)])
def test_few_prompts_are_covered_as_percentiles_do_not(n: int, before: float) -> None:
    def normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return rng.normal(size=shape)

    low, high = percentiles(normal(np.random.default_rng(n), (n, REPETITIONS)))
    assert ((low <= 0) & (high >= 0)).mean() == pytest.approx(before, abs=0.03)
    assert coverage(normal, 0.0, n) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, shape: rng.normal(size=shape), 0.0),
        (lambda rng, shape: rng.exponential(size=shape), 1.0),
        (lambda rng, shape: rng.beta(0.5, 4.5, shape), 0.1),
        (lambda rng, shape: rng.binomial(1, 0.3, shape) * rng.normal(1.0, 1.0, shape), 0.3),
    ],
    ids=["normal", "skewed", "near a bound", "ties"],
)
@pytest.mark.parametrize("n", [20, 50])
def test_many_prompts_are_covered_by_the_studentized_bootstrap(draw: Callable, truth: float, n: int) -> None:
    assert coverage(draw, truth, n) > 0.925


def test_skewed_scores_of_twenty_prompts_are_covered_better_than_by_percentiles() -> None:
    def skewed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return rng.beta(0.5, 4.5, shape)

    low, high = percentiles(skewed(np.random.default_rng(20), (20, REPETITIONS)))
    assert coverage(skewed, 0.1, 20) > ((low <= 0.1) & (high >= 0.1)).mean() + 0.03


def test_ratios_are_covered_at_few_prompts_and_at_many() -> None:
    """Bits over bytes, where longer responses cost more bits."""
    rng = np.random.default_rng(0)
    for n in (3, 8, 25):
        covered = 0
        for _ in range(400):
            n_bytes = rng.gamma(2.0, 100.0, n)
            bits = n_bytes * rng.normal(0.8, 0.2, n)
            low, high = Uncertainty(resamples=400).ratio_interval(bits, n_bytes)
            covered += low <= 0.8 <= high
        assert covered / 400 > (0.88 if n < 5 else 0.92), n


def test_two_prompts_reach_as_far_as_student_says() -> None:
    (interval,) = Uncertainty().intervals([[0.1], [0.3]])
    assert interval == pytest.approx((0.2 - 1.27062, 0.2 + 1.27062), abs=1e-5)
    assert Uncertainty().intervals([[0.1], [0.3]], [(0.0, 1.0)]) == [(0.0, 1.0)]


def test_the_quantiles_of_student() -> None:
    for freedom, t in ((1, 12.7062), (2, 4.30265), (4, 2.77645), (9, 2.26216), (18, 2.10092)):
        assert student_t(0.95, freedom) == pytest.approx(t, abs=1e-4)


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, (400, 1))
    (interval,) = Uncertainty().intervals(values)
    error = values.std(ddof=1) / 20
    assert interval is not None
    assert interval == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error)


def test_one_prompt_that_differs_does_not_throw_the_interval_far_off() -> None:
    values = np.r_[np.random.default_rng(0).normal(0.0, 0.001, 29), 1.0][:, None]
    (interval,) = Uncertainty().intervals(values)
    assert interval is not None
    error = values.std(ddof=1) / np.sqrt(30)
    assert interval[0] < 0.0333 < interval[1] <= values.mean() + 2.001 * 2.0452 * error


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_an_interval_holds_the_mean_and_stays_in_the_range(values: list[float]) -> None:
    (interval,) = Uncertainty(resamples=200).intervals(np.array(values)[:, None], [(0.0, 1.0)])
    assert interval is not None
    mean = float(np.mean(values))
    assert 0.0 <= interval[0] <= mean + 1e-9
    assert mean - 1e-9 <= interval[1] <= 1.0


@pytest.mark.parametrize("n", [2, 5, 19, 20, 60])
def test_equal_values_have_no_width(n: int) -> None:
    (interval,) = Uncertainty(resamples=200).intervals(np.full((n, 1), 0.1))
    assert interval == pytest.approx((0.1, 0.1))


def test_a_seed_gives_the_same_numbers_and_another_one_others() -> None:
    values = np.random.default_rng(0).random((30, 1))
    assert Uncertainty(seed=1).intervals(values) == Uncertainty(seed=1).intervals(values)
    assert Uncertainty(seed=1).intervals(values) != Uncertainty(seed=2).intervals(values)


@pytest.mark.parametrize("n", [7, 30])
def test_columns_share_their_draws_however_many_there_are(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((n, 7))
    values[2, 3] = NAN
    alone = [Uncertainty().intervals(values[:, k : k + 1])[0] for k in range(7)]
    assert np.allclose(np.array(Uncertainty().intervals(values)), np.array(alone), rtol=1e-9)
    monkeypatch.setattr("alignbench.metrics.intervals._BLOCK", 3)
    assert np.allclose(np.array(Uncertainty().intervals(values)), np.array(alone), rtol=1e-9)


def test_many_prompts_are_drawn_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate([*resampled(30, 500, 0)])
    monkeypatch.setattr("alignbench.metrics.intervals._CHUNK", 30 * 7)
    assert np.array_equal(np.concatenate([*resampled(30, 500, 0)]), whole)
    assert (whole.sum(axis=1) == 30).all()


def test_prompts_without_a_value_do_not_count() -> None:
    few, many = np.random.default_rng(1).random((2, 40))
    for values in (few[:9], many):
        with_gaps = np.insert(values, [0, 4, 8], NAN)[:, None]
        assert Ratios.of(with_gaps).errors() == pytest.approx(Ratios.of(values[:, None]).errors())
        (ours,), (plain,) = Uncertainty().intervals(with_gaps), Uncertainty().intervals(values[:, None])
        assert ours == pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize("values", [[], [0.3], [0.3, NAN]])
def test_one_prompt_has_no_interval(values: list[float]) -> None:
    assert Uncertainty().intervals(np.array(values).reshape(-1, 1)) == [None]


def test_clipping() -> None:
    assert clipped((-0.5, 1.5), (0.0, 1.0)) == (0.0, 1.0)
    assert clipped((0.2, 0.4), (0.0, 1.0)) == (0.2, 0.4)


def test_percentile_interval_of_nothing() -> None:
    assert percentile_interval([]) is None
    assert percentile_interval([NAN, NAN]) is None
    assert percentile_interval([NAN, 1.0]) == (1.0, 1.0)
