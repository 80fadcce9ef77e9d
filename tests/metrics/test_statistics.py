from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.intervals import Interval
from alignbench.metrics.recovery import over_one
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import (
    MIN_PROMPTS,
    Uncertainty,
    expected_maximum,
    holm,
    holm_corrected,
    mmd2,
    mmd2_bounds,
    recovery,
)

NAN = float("nan")
unit = st.floats(0, 1)


def draw(n: int, k: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, k))


class TestDifference:
    def test_pairing_removes_what_prompts_have_in_common(self) -> None:
        easy = draw(40, seed=1)
        (paired,) = Uncertainty().differences(easy + 0.1 + draw(40, seed=2) * 0.01, easy)
        assert paired.value == pytest.approx(0.105, abs=0.002)
        assert paired.ci is not None
        assert paired.ci[1] - paired.ci[0] < 0.003
        assert paired.p == pytest.approx(1 / 20_001)
        assert paired.n == 40

    def test_only_prompts_that_both_have_count(self) -> None:
        a, b = np.array([[1.0], [2.0], [NAN], [9.0]]), np.array([[0.0], [0.0], [0.0], [NAN]])
        (difference,) = Uncertainty().differences(a, b)
        assert (difference.value, difference.n) == (1.5, 2)

    def test_no_difference_and_no_prompts(self) -> None:
        same = draw(10)
        (nothing,) = Uncertainty().differences(same, same)
        assert (nothing.value, nothing.ci, nothing.p) == (0.0, (0.0, 0.0), 1.0)
        (nobody,) = Uncertainty().differences([[NAN]], [[1.0]])
        assert (nobody.value, nobody.ci, nobody.p, nobody.n) == (None, None, None, 0)

    def test_under_no_difference_the_test_rejects_about_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(40, 300)), rng.normal(size=(40, 300))
        differences = Uncertainty(resamples=1000).differences(a, b)
        assert 5 <= sum((d.p or 0) <= 0.05 for d in differences) <= 33

    def test_interval_and_p_tell_the_same(self) -> None:
        """Over many draws they disagree about no difference only where both are close to it."""
        for n in (10, 30):
            rng = np.random.default_rng(n)
            a, b = rng.normal(0.4, 1.0, (n, 500)), rng.normal(size=(n, 500))
            for one in Uncertainty(resamples=1000).differences(a, b):
                assert one.ci is not None
                assert one.p is not None
                apart = not one.ci[0] <= 0.0 <= one.ci[1]
                assert apart == (one.p <= 0.05) or 0.01 < one.p < 0.15

    def test_two_prompts_have_no_p(self) -> None:
        (two,) = Uncertainty().differences([[0.9], [0.8]], [[0.1], [0.2]])
        assert (two.p, two.n) == (None, 2)
        corrected = holm_corrected(dict.fromkeys(range(10), two))
        assert {one.p_holm for one in corrected.values()} == {None}

    def test_a_difference_stays_in_its_range(self) -> None:
        (two,) = Uncertainty().differences([[0.9], [0.2]], [[0.1], [0.6]], [(0.0, 1.0)])
        assert two.ci == (-1.0, 1.0)
        (open_ended,) = Uncertainty().differences([[9.0], [8.0]], [[1.0], [2.0]], [(0.0, math.inf)])
        assert open_ended.ci is not None
        assert open_ended.ci[0] == pytest.approx(7 - 12.7062)

    def test_rounding_is_no_difference(self) -> None:
        same = draw(12)
        (nothing,) = Uncertainty().differences(same * (1 + 1e-15), same)
        assert (nothing.value, nothing.p) == (0.0, 1.0)


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

    def test_of_the_reference_itself_it_is_one(self) -> None:
        itself = recovery([0.9] * 25, [0.1] * 25, [0.9] * 25)
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


def test_over_one_there_is_a_warning_and_mmd2_is_read_where_there_is_one() -> None:
    def warning(
        recovery: float | None, ci: Interval | None = (1.1, 1.3), mmd2: float | None = 0.1, **more: bool
    ) -> str:
        return over_one(recovery, ci, mmd2, **{"compares_means": False, **more})

    assert warning(None) == warning(1.0) == ""
    assert "closer to the reference than the reference is to itself" in warning(1.2)
    assert warning(1.2).endswith("read mmd2 beside it")
    assert warning(1.2, compares_means=True).endswith("read mmd2 beside it, which compares means only")
    assert "mode-seeking" in warning(1.2, mmd2=None)
    assert "mmd2" not in warning(1.2, mmd2=None, compares_means=True)
    for ci in (None, (0.9, 1.4)):
        assert "closer" not in warning(1.2, ci), "half of the time the reference itself is over 1"
        assert "by mode-seeking or by chance" in warning(1.2, ci)


def test_mmd2_of_cosines_compares_means_only() -> None:
    """Vectors that spread differently around one mean are 0 apart; words tell them apart."""
    assert [name for name, metric in METRICS.items() if metric.compares_means] == ["embedding_similarity"]
    spread = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    other = np.array([[0.6, 0.8], [-0.6, -0.8], [0.6, 0.8], [-0.6, -0.8]])
    means = [(a @ b.T).mean() for a, b in ((spread, spread), (other, other), (spread, other))]
    assert mmd2(*means) == pytest.approx(0.0)


def test_mmd2_of_means() -> None:
    assert mmd2(0.4, 0.2, 0.25) == pytest.approx(0.1)
    assert mmd2(0.3, 0.3, 0.3) == 0.0
    assert mmd2(None, 0.2, 0.1) is None
    assert mmd2_bounds((0.0, 1.0)) == (-1.0, 2.0)
    assert mmd2_bounds((-1.0, 1.0)) == (-2.0, 4.0)


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
