"""The matrix of conditions: known answers, and every pair compared as oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.condition_matrix import mean_blocks, mean_cosines

E1, E2 = [1.0, 0.0], [0.0, 1.0]


def test_the_known_answer() -> None:
    matrix = mean_cosines([[E1, E1], [E1, E2]])
    assert matrix == pytest.approx(np.array([[1.0, 0.5], [0.5, 0.0]]))
    cosines = np.array([E1, E1, E1, E2]) @ np.array([E1, E1, E1, E2]).T
    assert mean_blocks(cosines, [2, 2]) == pytest.approx(matrix)


def test_lengths_of_vectors_do_not_matter() -> None:
    assert mean_cosines([[[5.0, 0.0], [0.1, 0.0]], [[3.0, 3.0]]])[0].tolist() == pytest.approx([1.0, 0.5**0.5])


def test_what_has_no_pair_is_not_a_number() -> None:
    matrix = mean_cosines([[], [E1], [E1, E2]])
    assert np.isnan(matrix[0]).all()
    assert np.isnan(matrix[1, 1])
    assert matrix[1, 2] == pytest.approx(0.5)
    assert mean_cosines([]).shape == (0, 0)
    assert np.isnan(mean_cosines([[], []])).all()
    assert np.isnan(mean_blocks(np.full((2, 2), np.nan), [1, 1])).all()
    assert np.isnan(mean_blocks(np.ones((1, 1)), [0, 1])).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.integers(0, 1000))
def test_every_pair_compared_gives_the_same(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [rng.normal(size=(n, 6)) for n in sizes]
    units = [s / np.linalg.norm(s, axis=1, keepdims=True) for s in sets]
    expected = np.full((len(sets), len(sets)), np.nan)
    for i, a in enumerate(units):
        for j, b in enumerate(units):
            pairs = [x @ y for m, x in enumerate(a) for n, y in enumerate(b) if i != j or m != n]
            expected[i, j] = np.mean(pairs) if pairs else np.nan
    assert mean_cosines(sets) == pytest.approx(expected, nan_ok=True, abs=1e-12)
    all_units = np.concatenate(units)
    assert mean_blocks(all_units @ all_units.T, sizes) == pytest.approx(expected, nan_ok=True, abs=1e-12)
