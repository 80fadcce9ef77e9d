from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from alignbench.metrics.judged import effective_diversity, novelty_gains, novelty_utility
from alignbench.metrics.running_cell import CellScores
from alignbench.metrics.semantic import (
    EQUIVALENT,
    CalibratedThreshold,
    Cosines,
    calibrated_threshold,
    classes,
    classes_of_set,
    cosine_matrix,
    threshold_classes,
)


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


def test_cosine_matrix_is_every_cosine() -> None:
    a, b = unit_rows(4), 3 * unit_rows(5, seed=1)
    expected = a.astype(float) @ b.T.astype(float) / np.linalg.norm(b.astype(float), axis=1)
    np.testing.assert_allclose(cosine_matrix(a, b), expected, atol=1e-6)
    assert cosine_matrix(a, a).max() <= 1.0
    with pytest.raises(ValueError, match="finite vector that is not zero"):
        cosine_matrix(a, np.zeros((1, 16)))


def test_classes_are_greedy_against_the_first_of_each() -> None:
    similar = np.array([[1.0, 0.9, 0.1, 0.2], [0.9, 1.0, 0.9, 0.1], [0.1, 0.9, 1.0, 0.9], [0.2, 0.1, 0.9, 1.0]])
    # 1 joins 0; 2 is like 1, but not like 0, who founded the class
    assert threshold_classes(similar, 0.8) == (0, 0, 1, 1)
    assert threshold_classes(similar, 0.95) == (0, 1, 2, 3)
    assert threshold_classes(np.zeros((0, 0))) == ()
    asked = []

    def stance(i: int, j: int) -> bool:
        asked.append((i, j))
        return (i, j) == (1, 2)

    assert classes(3, stance) == (0, 1, 1)
    assert asked == [(0, 1), (0, 2), (1, 2)]


def test_a_threshold_is_what_few_mismatched_pairs_reach() -> None:
    mismatched = np.linspace(0, 1, 101)
    threshold = calibrated_threshold(mismatched, 0.1)
    assert np.mean(mismatched >= threshold) == pytest.approx(0.1, abs=0.01)
    with pytest.raises(ValueError, match="one similarity at least"):
        calibrated_threshold([])


def test_a_calibrated_threshold_rises_where_chance_reaches_the_usual_one() -> None:
    low = CalibratedThreshold.of(0.8, np.linspace(0.0, 0.4, 1001))
    assert (low.value, low.false_matches) == (0.8, 0.0)
    assert low.chance == pytest.approx(0.38)
    high = CalibratedThreshold.of(0.8, np.linspace(0.5, 1.0, 1001))
    assert high.value == high.chance == pytest.approx(0.975)
    assert high.false_matches == pytest.approx(0.05, abs=0.001)
    assert CalibratedThreshold.of(0.8, []) == CalibratedThreshold(0.8)


def test_semantic_entropy_known_answer() -> None:
    of = classes_of_set((0, 1, 2, 1))
    assert of["semantic_entropy"].value == pytest.approx(1.0397, abs=5e-5)
    assert of["semantic_classes"].value == 3
    assert of["semantic_classes"].extra == {EQUIVALENT: pytest.approx(1 / 6)}
    assert classes_of_set((0, 0, 0))["semantic_entropy"].value == 0.0
    assert classes_of_set((0, 1, 2))["semantic_entropy"].value == pytest.approx(np.log(3))
    assert classes_of_set((0,))["semantic_classes"].extra == {}


def test_cells_have_the_entropy_of_their_classes() -> None:
    cell = CellScores(("semantic_classes", "semantic_entropy"), class_threshold=0.9)
    for sample, vector in enumerate(([1, 0], [0, 1], [-1, 0], [0.1, 1])):
        cell.add(sample, f"text {sample}")
        cell.add_embedding(sample, vector)
    within = cell.within()
    assert within["semantic_entropy"].value == pytest.approx(1.0397, abs=5e-5)
    assert within["semantic_classes"].value == 3


def test_novelty_utility_known_answer() -> None:
    assert novelty_utility([7, 0, 5, 0]) == pytest.approx(3.455285, abs=1e-6)
    assert novelty_gains((0, 0, 1, 0), [7, 9, 5, 1]) == [7, 0, 5, 0]
    assert novelty_utility([4, 4, 4]) == pytest.approx(4)
    for gains, patience in (([], 0.8), ([1.0], 1.0), ([1.0], 0.0)):
        with pytest.raises(ValueError, match="0 < p < 1"):
            novelty_utility(gains, patience)


def test_effective_diversity_counts_only_pairs_that_pass() -> None:
    similar = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]])
    assert effective_diversity(similar, [True] * 3) == pytest.approx((0.5 + 0.8 + 0.9) / 3)
    assert effective_diversity(similar, [True, True, False]) == pytest.approx(0.5 / 3)
    assert effective_diversity(similar, [False] * 3) == 0.0
    assert effective_diversity([[1.0]], [True]) is None
