from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.statistics import (
    MIN_PROMPTS,
    Bootstrap,
    expected_maximum,
    holm,
    jackknife_interval,
    mmd2,
    pair_spreads,
    percentile_interval,
    recovery,
    spread_interval,
)

NAN = float("nan")
unit = st.floats(0, 1)


def draw(n: int, k: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, k))


class TestBootstrap:
    def test_the_interval_is_as_wide_as_the_standard_error_says(self) -> None:
        values = np.random.default_rng(3).normal(5.0, 2.0, (400, 1))
        (interval,) = Bootstrap().intervals(values)
        error = values.std(ddof=1) / 20
        assert interval is not None
        assert interval == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error)

    def test_a_seed_gives_the_same_numbers_and_another_one_others(self) -> None:
        values = draw(30)
        assert Bootstrap(seed=1).intervals(values) == Bootstrap(seed=1).intervals(values)
        assert Bootstrap(seed=1).intervals(values) != Bootstrap(seed=2).intervals(values)

    def test_columns_share_their_resamples_however_many_there_are(self) -> None:
        values = draw(30, 7)
        alone = [Bootstrap().intervals(values[:, k : k + 1])[0] for k in range(7)]
        assert np.allclose(np.array(Bootstrap().intervals(values)), np.array(alone), rtol=1e-12)

    def test_many_prompts_are_drawn_in_pieces_without_a_seam(self, monkeypatch: pytest.MonkeyPatch) -> None:
        values = draw(30)
        whole = Bootstrap(resamples=500).means(values)
        monkeypatch.setattr("alignbench.metrics.statistics._CHUNK", 30 * 7)
        assert np.allclose(Bootstrap(resamples=500).means(values), whole, rtol=1e-12)

    def test_prompts_without_a_value_are_drawn_but_do_not_count(self) -> None:
        values = np.array([[0.5], [NAN], [0.5], [NAN]])
        means = Bootstrap(resamples=2000).means(values)
        assert set(means[~np.isnan(means)]) == {0.5}
        assert np.isnan(means).mean() == pytest.approx(1 / 16, abs=0.03)

    @pytest.mark.parametrize("values", [[], [0.3], [0.3, NAN]])
    def test_one_prompt_has_no_interval(self, values: list[float]) -> None:
        assert Bootstrap().intervals(np.array(values).reshape(-1, 1)) == [None]

    @given(st.lists(unit, min_size=2, max_size=12))
    def test_an_interval_lies_between_the_smallest_and_the_largest_value(self, values: list[float]) -> None:
        (interval,) = Bootstrap(resamples=200).intervals(np.array(values)[:, None])
        assert interval is not None
        assert min(values) - 1e-12 <= interval[0] <= interval[1] <= max(values) + 1e-12


class TestDifference:
    def test_pairing_removes_what_prompts_have_in_common(self) -> None:
        easy = draw(40, seed=1)
        (paired,) = Bootstrap().differences(easy + 0.1 + draw(40, seed=2) * 0.01, easy)
        assert paired.value == pytest.approx(0.105, abs=0.002)
        assert paired.ci is not None
        assert paired.ci[1] - paired.ci[0] < 0.003
        assert paired.p == pytest.approx(2 / 10_001)
        assert paired.n == 40

    def test_only_prompts_that_both_have_count(self) -> None:
        a, b = np.array([[1.0], [2.0], [NAN], [9.0]]), np.array([[0.0], [0.0], [0.0], [NAN]])
        (difference,) = Bootstrap().differences(a, b)
        assert (difference.value, difference.n) == (1.5, 2)

    def test_no_difference_and_no_prompts(self) -> None:
        same = draw(10)
        (nothing,) = Bootstrap().differences(same, same)
        assert (nothing.value, nothing.ci, nothing.p) == (0.0, (0.0, 0.0), 1.0)
        (nobody,) = Bootstrap().differences([[NAN]], [[1.0]])
        assert (nobody.value, nobody.ci, nobody.p, nobody.n) == (None, None, None, 0)

    def test_under_no_difference_the_test_rejects_about_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(40, 300)), rng.normal(size=(40, 300))
        rejected = sum((d.p or 0) <= 0.05 for d in Bootstrap(resamples=1000).differences(a, b))
        assert 5 <= rejected <= 33


class TestHolm:
    def test_known_answer(self) -> None:
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    @given(st.lists(unit, max_size=8))
    def test_it_never_lowers_p_and_keeps_the_order(self, values: list[float]) -> None:
        adjusted = holm(values)
        assert all(p <= q <= 1 for p, q in zip(values, adjusted, strict=True))
        for (p, q), (r, s) in itertools.combinations(zip(values, adjusted, strict=True), 2):
            assert q == s or (p < r) == (q < s)
        assert len(adjusted) == len(values)


class TestRecovery:
    def test_it_is_a_ratio_of_means_and_not_a_mean_of_ratios(self) -> None:
        share = recovery([0.2, 0.9], [0.1, 0.0], [0.2, 1.0])
        assert share.value == pytest.approx((0.55 - 0.05) / (0.6 - 0.05))
        assert share.n == 2

    def test_under_twenty_prompts_there_is_no_interval(self) -> None:
        values = draw(MIN_PROMPTS, seed=5)[:, 0] * 0.1 + 0.5
        floors, ceilings = [0.1] * MIN_PROMPTS, [0.9] * MIN_PROMPTS
        enough = recovery(values.tolist(), floors, ceilings)
        assert enough.ci is not None
        assert enough.value is not None
        assert enough.ci[0] < enough.value < enough.ci[1]
        fewer = recovery(values.tolist()[1:], floors[1:], ceilings[1:])
        assert fewer.ci is None
        assert fewer.reason == "no interval: needs 20 prompts, has 19"

    @pytest.mark.parametrize("ceiling", [0.3, 0.2])
    def test_a_ceiling_that_is_not_over_the_floor(self, ceiling: float) -> None:
        share = recovery([0.5] * 30, [0.3] * 30, [ceiling] * 30)
        assert (share.value, share.ci) == (None, None)
        assert "not over the floor" in share.reason

    def test_over_one_there_is_a_warning_and_at_one_there_is_none(self) -> None:
        assert "mode-seeking" in recovery([0.95], [0.1], [0.9]).warning
        itself = recovery([0.9] * 25, [0.1] * 25, [0.9] * 25)
        assert itself.warning == ""
        assert itself.value == 1.0
        assert itself.ci == pytest.approx((1.0, 1.0))

    def test_prompts_that_lack_one_of_the_three_do_not_count(self) -> None:
        share = recovery([0.5, 0.9, None, 0.7], [0.0, None, 0.0, 0.0], [1.0, 1.0, 1.0, None])
        assert (share.value, share.n) == (0.5, 1)
        assert recovery([None], [0.1], [0.2]).reason == "no prompt has a similarity, a floor and a ceiling"
        assert recovery([], [], []).value is None

    def test_a_ceiling_hardly_over_the_floor_has_no_interval(self) -> None:
        rng = np.random.default_rng(2)
        floors = rng.normal(0.5, 0.1, 30)
        ceilings = floors + rng.normal(0.0, 0.1, 30)
        ceilings += 0.001 - (ceilings - floors).mean()
        share = recovery(rng.random(30).tolist(), floors.tolist(), ceilings.tolist())
        assert share.value is not None
        assert share.ci is None
        assert "too close" in share.reason


def test_mmd2_of_means() -> None:
    assert mmd2(0.4, 0.2, 0.25) == pytest.approx(0.1)
    assert mmd2(0.3, 0.3, 0.3) == 0.0
    assert mmd2(None, 0.2, 0.1) is None


def test_mmd2_is_unbiased() -> None:
    """Two sets of one distribution: 0 on average over many draws, as the biased form is not."""
    rng = np.random.default_rng(0)

    def gap() -> float:
        a, b = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
        pairs = np.triu_indices(4, 1)
        distance = mmd2((a @ a.T)[pairs].mean(), (b @ b.T)[pairs].mean(), (a @ b.T).mean())
        assert distance is not None
        return distance

    gaps = [gap() for _ in range(2000)]
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(2000)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=7), st.data())
def test_the_expected_maximum_is_that_over_all_draws(values: list[float], data: st.DataObject) -> None:
    m = data.draw(st.integers(1, len(values)))
    draws = [max(drawn) for drawn in itertools.combinations(values, m)]
    assert expected_maximum(values, m) == pytest.approx(sum(draws) / len(draws), abs=1e-12)


def test_the_expected_maximum_of_many_pairs() -> None:
    values = draw(4950)[:, 0]
    assert expected_maximum(values, 4950) == values.max()
    assert expected_maximum(values, 1) == pytest.approx(values.mean())
    assert expected_maximum(values, 10) == pytest.approx(10 / 11, abs=0.01)
    for m in (0, 4951):
        with pytest.raises(ValueError, match="cannot draw"):
            expected_maximum(values, m)


class TestJackknife:
    def test_of_a_mean_it_is_student_s_interval(self) -> None:
        values = [1.0, 2.0, 4.0, 7.0, 11.0]
        mean = sum(values) / 5
        left_out = [(sum(values) - v) / 4 for v in values]
        interval = jackknife_interval(mean, left_out)
        error = np.std(values, ddof=1) / np.sqrt(5)
        assert interval == pytest.approx((mean - 2.7764451 * error, mean + 2.7764451 * error), abs=1e-6)

    def test_two_sets_add_their_variances(self) -> None:
        """Of a difference of means: Welch's interval."""
        stats = pytest.importorskip("scipy.stats", reason="SciPy, the reference for Welch's interval, is not installed")
        a, b = [1.0, 2.0, 4.0, 7.0], [0.5, 0.7, 0.1, 0.9, 3.0]
        difference = float(np.mean(a) - np.mean(b))
        left_a = [float(np.mean(a[:i] + a[i + 1 :]) - np.mean(b)) for i in range(4)]
        left_b = [float(np.mean(a) - np.mean(b[:i] + b[i + 1 :])) for i in range(5)]
        welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
        assert jackknife_interval(difference, left_a, left_b) == pytest.approx((welch.low, welch.high))

    def test_means_over_pairs_are_left_out_at_once(self) -> None:
        rng = np.random.default_rng(0)
        between = rng.random((4, 5))
        between[1, 2] = np.nan
        left = [[float(np.nanmean(np.delete(between, i, axis))) for i in range(n)] for axis, n in ((0, 4), (1, 5))]
        mean = float(np.nanmean(between))
        expected = jackknife_interval(mean, *left)
        assert spread_interval(mean, pair_spreads(between, itself=False)) == pytest.approx(expected)
        own = rng.random((5, 5))
        own += own.T

        def pairs(of: np.ndarray) -> float:
            return float(of[np.triu_indices(len(of), 1)].mean())

        without = [pairs(np.delete(np.delete(own, i, 0), i, 1)) for i in range(5)]
        expected = jackknife_interval(pairs(own), without)
        assert spread_interval(pairs(own), pair_spreads(own, itself=True)) == pytest.approx(expected)

    def test_no_spread_where_leaving_out_leaves_nothing(self) -> None:
        assert pair_spreads(np.ones((1, 5)), itself=False) == ()
        assert pair_spreads(np.ones((2, 2)), itself=True) == ()
        assert pair_spreads(np.full((3, 3), np.nan), itself=False) == ()

    def test_too_few_samples_and_no_spread(self) -> None:
        assert jackknife_interval(1.0) is None
        assert jackknife_interval(1.0, [1.0], [1.0, 2.0]) is None
        assert jackknife_interval(1.0, [1.0, 1.0]) == (1.0, 1.0)


def test_percentile_interval_of_nothing() -> None:
    assert percentile_interval([]) is None
    assert percentile_interval([NAN, NAN]) is None
    assert percentile_interval([NAN, 1.0]) == (1.0, 1.0)
