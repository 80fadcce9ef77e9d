"""The exact test of no difference."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.sign_flips import sign_flip_p

NAN = float("nan")


def p_of(gaps: list[float], seed: int = 0) -> float | None:
    (p,) = sign_flip_p(np.array(gaps, np.float64)[:, None], seed)
    return p


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5])
def test_under_six_prompts_there_is_no_p(n: int) -> None:
    assert p_of([0.1 + i / 100 for i in range(n)]) is None
    assert p_of([0.1 + i / 100 for i in range(n)] + [NAN] * 10) is None


@pytest.mark.parametrize("n", [6, 7, 10, 14])
def test_differences_of_one_sign_have_the_least_p_there_is(n: int) -> None:
    assert p_of([0.1 + i / 100 for i in range(n)]) == 2 / 2**n
    assert p_of([-0.1 - i / 100 for i in range(n)]) == 2 / 2**n


def test_over_fourteen_prompts_signs_are_drawn() -> None:
    assert p_of([0.1] * 20) == 1 / 20_001
    noise = np.random.default_rng(0).normal(0.4, 1.0, 15).tolist()
    assert p_of(noise, seed=1) != p_of(noise, seed=2)
    assert p_of(noise, seed=1) == pytest.approx(p_of(noise, seed=2), abs=0.02)
    assert p_of(noise, seed=1) == p_of(noise, seed=1)


@given(st.lists(st.integers(-5, 5), min_size=6, max_size=9))
def test_it_is_the_share_of_all_signs_that_are_as_far_off(gaps: list[int]) -> None:
    sums = [
        abs(sum(s * g for s, g in zip(signs, gaps, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(gaps))
    ]
    assert p_of([float(g) for g in gaps]) == sum(total >= abs(sum(gaps)) for total in sums) / len(sums)


def test_ties_are_as_far_off_whatever_the_rounding() -> None:
    assert p_of([0.1, 0.1, 0.1, -0.1, -0.1, 0.3, 0.7]) == p_of([1, 1, 1, -1, -1, 3, 7])
    assert p_of([0.0] * 8) == p_of([0.0] * 30) == 1.0


def test_columns_with_gaps_are_tested_on_what_they_have() -> None:
    rng = np.random.default_rng(0)
    gaps = rng.normal(0.3, 1.0, (18, 4))
    gaps[:9, 1] = NAN
    gaps[:13, 2] = NAN
    p = sign_flip_p(gaps, 0)
    assert p[1] == p_of(gaps[9:, 1].tolist())
    assert p[2] is None
    assert p[0] == p_of(gaps[:, 0].tolist())


@pytest.mark.parametrize("n", [6, 10, 20, 40])
@pytest.mark.parametrize("shape", ["normal", "heavy", "ties"])
def test_without_a_difference_it_rejects_at_most_as_often_as_it_says(n: int, shape: str) -> None:
    rng = np.random.default_rng(n)
    draws = {
        "normal": rng.normal(size=(n, 1000)),
        "heavy": rng.standard_t(2, size=(n, 1000)),
        "ties": rng.integers(-1, 2, (n, 1000)).astype(float),
    }
    rejected = sum(p is not None and p <= 0.05 for p in sign_flip_p(draws[shape], 0))
    assert rejected <= 70
