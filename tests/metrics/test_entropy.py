"""Entropies and the branching factor: known answers, from distributions whose entropy is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alignbench.metrics.entropy import bits_per_token, branching_curve, branching_factor

LN8 = math.log(8.0)


def uniform(n: int) -> np.ndarray:
    return np.full(n, LN8, np.float32)


@pytest.mark.parametrize("n", [1, 50, 51, 400])
def test_uniform_over_eight_is_eight(n: int) -> None:
    assert branching_factor([uniform(n)] * 3, [-uniform(n)] * 3) == pytest.approx(8.0, rel=1e-6)
    assert bits_per_token([uniform(n)] * 3) == pytest.approx(3.0, rel=1e-6)
    assert [*dict(branching_curve([uniform(n)])).values()] == pytest.approx(
        [8.0] * len(dict(branching_curve([uniform(n)])))
    )


@pytest.mark.parametrize("n", [1, 50, 51, 400])
def test_a_deterministic_model_has_one_choice(n: int) -> None:
    nothing = np.zeros(n, np.float32)
    assert branching_factor([nothing], [nothing]) == 1.0
    assert bits_per_token([nothing]) == 0.0
    assert {*dict(branching_curve([nothing])).values()} == {1.0}


def test_up_to_fifty_tokens_by_entropies_beyond_by_log_probs() -> None:
    two, four = math.log(2.0), math.log(4.0)
    assert branching_factor([[two] * 50], [[-four] * 50]) == pytest.approx(2.0)
    assert branching_factor([[two] * 51], [[-four] * 51]) == pytest.approx(4.0)
    assert branching_factor([[two], [two] * 51], [[-four], [-four] * 51]) == pytest.approx(4.0)


def test_the_mean_is_over_tokens_and_geometric_over_choices() -> None:
    assert branching_factor([[math.log(2.0)], [math.log(8.0)]], [[-9.0], [-9.0]]) == pytest.approx(4.0)
    assert bits_per_token([[math.log(2.0)] * 3, [math.log(8.0)]]) == pytest.approx(6 / 4)


def test_the_curve_is_by_position() -> None:
    rising = [[math.log(1.0)], [math.log(4.0), math.log(2.0), math.log(8.0)]]
    curve = dict(branching_curve(rising))
    assert curve == {"at_1": pytest.approx(2.0), "at_2_5": pytest.approx(4.0)}
    assert [*dict(branching_curve([uniform(401)]))][-2:] == ["at_201_400", "at_401_on"]


def test_nothing_drawn_has_no_choices() -> None:
    assert branching_factor([], []) is None
    assert branching_factor([[]], [[]]) is None
    assert bits_per_token([[]]) is None
    assert dict(branching_curve([[]])) == {}
