from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from alignbench.scores.semantic import Cosines


def unit_rows(n: int, seed: int = 0, dim: int = 16) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def cosines(rows: np.ndarray) -> Cosines:
    result = Cosines()
    for row in rows:
        result.add(row)
    return result


def test_mean_over_pairs_is_that_of_computing_every_pair() -> None:
    rows = unit_rows(40)
    exact = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    for n in (2, 3, 40):
        expected = np.mean([a @ b for a, b in combinations(exact[:n], 2)])
        assert cosines(rows[:n]).mean == pytest.approx(expected, abs=1e-12)
    between = np.mean([a @ b for a, b in product(exact[:7], exact[7:])])
    assert cosines(rows[:7]).mean_with(cosines(rows[7:])) == pytest.approx(between, abs=1e-12)


def test_equal_vectors_have_cosine_one_and_opposite_ones_minus_one() -> None:
    row = unit_rows(1)[0]
    assert cosines(np.stack([row] * 5)).mean == pytest.approx(1.0, abs=1e-12)
    assert cosines(np.stack([row] * 5)).mean <= 1.0  # type: ignore[operator]
    assert cosines(np.stack([row, -row])).mean == pytest.approx(-1.0, abs=1e-12)


def test_too_few_vectors_have_no_mean() -> None:
    assert Cosines().mean is None
    assert cosines(unit_rows(1)).mean is None
    assert cosines(unit_rows(1)).mean_with(Cosines()) is None
    assert cosines(unit_rows(1)).mean_with(cosines(unit_rows(1, seed=1))) is not None


@pytest.mark.parametrize("bad", [np.zeros(16), np.full(16, np.nan), np.ones((2, 16)), np.full(16, np.inf)])
def test_what_has_no_direction_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite vector that is not zero"):
        Cosines().add(bad)


def test_vectors_of_two_models_do_not_meet() -> None:
    with pytest.raises(ValueError, match="has 8 dimensions; expected 16"):
        cosines(unit_rows(2)).add(np.ones(8))
