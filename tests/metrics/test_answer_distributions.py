"""Distances between distributions of answers: known answers, scipy as an oracle, and chance by enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from alignbench.metrics.answer_distributions import (
    answer_distance,
    entropy,
    expected_consistency,
    jensen_shannon,
    order_consistency,
    representativeness,
    sampling_floor,
    split_floor,
    steerability,
    total_variation,
    wasserstein,
)


def distributions(k: int) -> st.SearchStrategy[list[float]]:
    weights = st.lists(st.integers(0, 20), min_size=k, max_size=k).filter(any)
    return weights.map(lambda each: [one / sum(each) for one in each])


pairs = st.integers(2, 6).flatmap(
    lambda k: st.tuples(distributions(k), distributions(k), st.lists(st.integers(-5, 9), min_size=k, max_size=k))
)


def test_known_answers() -> None:
    p, q = (0.5, 0.3, 0.2), (0.2, 0.3, 0.5)
    distance = answer_distance(p, q, (1.0, 2.0, 3.0))
    assert distance.tv == pytest.approx(0.3)
    assert distance.jsd == pytest.approx(0.0958, abs=5e-5)
    assert distance.w1 == pytest.approx(0.6)
    assert distance.representativeness == pytest.approx(0.7)
    assert answer_distance(p, q).w1 is None
    assert sampling_floor((0.5, 0.5), 5) == pytest.approx(0.1875)
    assert entropy((0.25,) * 4) == pytest.approx(2.0)
    assert entropy((1.0, 0.0)) == 0.0


@given(pairs)
def test_as_scipy_has_them(drawn: tuple[list[float], list[float], list[int]]) -> None:
    p, q, values = drawn
    assert wasserstein(p, q, values) == pytest.approx(wasserstein_distance(values, values, p, q), abs=1e-9)
    assert jensen_shannon(p, q) == pytest.approx(np.nan_to_num(jensenshannon(p, q, 2)) ** 2, abs=1e-7)
    assert total_variation(p, q) == pytest.approx(total_variation(q, p))
    assert 0.0 <= total_variation(p, q) <= 1.0 + 1e-12
    if (share := representativeness(p, q, values)) is None:
        assert len(set(values)) == 1
    else:
        assert -1e-9 <= share <= 1.0


@pytest.mark.parametrize("p", [(0.5, 0.5), (0.7, 0.2, 0.1), (1.0, 0.0), (0.25, 0.25, 0.25, 0.25)])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_floor_is_the_mean_over_every_possible_sample(p: tuple[float, ...], n: int) -> None:
    def shares(count: int) -> list[tuple[float, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]]:
        return [
            (math.prod(p[i] for i in drawn), np.bincount(drawn, minlength=len(p)) / count)
            for drawn in itertools.product(range(len(p)), repeat=count)
        ]

    assert sampling_floor(p, n) == pytest.approx(sum(chance * total_variation(one, p) for chance, one in shares(n)))
    both = sum(a * b * total_variation(one, two) for a, one in shares(n) for b, two in shares(3))
    assert sampling_floor(p, n, 3) == pytest.approx(both)


def test_floor_of_two_samples_falls_to_that_of_one_as_the_other_grows() -> None:
    p = (0.6, 0.3, 0.1)
    floors = [sampling_floor(p, 20, other) for other in (20, 200, 20_000)]
    assert floors == sorted(floors, reverse=True)
    assert floors[-1] == pytest.approx(sampling_floor(p, 20), rel=0.01)
    assert sampling_floor(p, 10**6) < 1e-3


def test_consistency_over_orders() -> None:
    same = [[0.7, 0.3], [0.7, 0.3]]
    assert order_consistency(same) == pytest.approx(1.0)
    assert order_consistency([[1.0, 0.0], [0.0, 1.0]]) == pytest.approx(0.0)
    assert order_consistency([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]) == pytest.approx(1 / 3)
    assert order_consistency([[1.0, 0.0]]) is None
    assert expected_consistency((3, 2), (5,)) is None


@pytest.mark.parametrize(("n", "other"), [(1, 1), (2, 3), (4, 2)])
def test_floor_of_a_split_is_the_mean_over_every_split(n: int, other: int) -> None:
    answers = [0, 0, 0, 1, 1, 2]
    gaps = []
    for first in itertools.combinations(range(len(answers)), n):
        rest = [i for i in range(len(answers)) if i not in first]
        for second in itertools.combinations(rest, other):
            shares = [np.bincount([answers[i] for i in each], minlength=3) / len(each) for each in (first, second)]
            gaps.append(total_variation(*shares))
    assert split_floor((3, 2, 1), n, other) == pytest.approx(np.mean(gaps))


def test_floor_of_a_split_is_unbiased_however_few_answers_there_are() -> None:
    rng = np.random.default_rng(0)
    p, n = (0.5, 0.3, 0.2), 2
    drawn = rng.multinomial(n, p, size=(2000, 2))
    floors = [split_floor(each.sum(axis=0).tolist(), n, n) for each in drawn]
    assert np.mean(floors) == pytest.approx(sampling_floor(p, n, n), abs=0.02)


def test_consistency_of_answers_that_ignore_the_order_is_what_chance_says() -> None:
    rng = np.random.default_rng(0)
    p, n = np.array([0.7, 0.2, 0.1]), 3
    drawn = rng.multinomial(n, p, size=(2000, 3))
    found = [order_consistency(each / n) or 0.0 for each in drawn]
    said = [expected_consistency(each.sum(axis=0).tolist(), (n, n, n)) or 0.0 for each in drawn]
    assert np.mean(found) == pytest.approx(np.mean(said), abs=0.01)


def test_a_persona_that_moves_the_answers_to_the_group_is_negative() -> None:
    assert steerability((0.5, 0.5), (0.8, 0.2), (0.9, 0.1)) == pytest.approx(-0.3)
    assert steerability((0.5, 0.5), (0.5, 0.5), (0.9, 0.1)) == 0.0
