from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alignbench.metrics.coverage import best_matches, coverage, coverage_at, covered_responses, union_coverage

X, Y, Z = np.eye(3)
tables = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.5, 0.7, 1.0]))
)


def test_a_sentence_is_matched_with_the_best_of_each_response() -> None:
    best = best_matches([X, Y], [[X, Z], [(Y + Z) / 2], np.zeros((0, 3))])
    np.testing.assert_allclose(best, [[1, 0, -np.inf], [0, np.sqrt(0.5), -np.inf]])
    assert best_matches(np.zeros((0, 3)), [[X]]).shape == (0, 1)


def test_coverage_is_the_share_of_sentences_over_the_threshold_and_not_symmetric() -> None:
    long, short = [X, Y, Z], [X]
    assert coverage(best_matches(short, [long])) == 1.0
    assert coverage(best_matches(long, [short])) == pytest.approx(1 / 3)
    assert coverage([[0.6], [0.59]], threshold=0.6) == 0.5
    assert coverage(np.zeros((0, 2))) is None
    with pytest.raises(ValueError, match="a matrix"):
        coverage([0.1])


def test_an_aggregator_is_covered_by_the_union_only() -> None:
    """One response that says what three say: each covers a third of it, all together the whole."""
    best = best_matches([X, Y, Z], [[X], [Y], [Z]])
    assert union_coverage(best) == pytest.approx([1 / 3, 2 / 3, 1])
    assert union_coverage(np.zeros((0, 3))) == []
    assert covered_responses([best_matches([v], [[X, Y, Z], [X]]) for v in (X, Y, Z)], share=1.0).tolist() == [3, 1]


@given(tables)
def test_the_curve_is_the_mean_over_all_choices(best: np.ndarray) -> None:
    curve = union_coverage(best)
    covered = best >= 0.6
    for k, point in enumerate(curve, start=1):
        choices = [covered[:, list(chosen)].any(axis=1).mean() for chosen in combinations(range(best.shape[1]), k)]
        assert point == pytest.approx(np.mean(choices), abs=1e-9)
    assert curve[0] == pytest.approx(coverage(best), abs=1e-12)
    assert curve == sorted(curve) or np.all(np.diff(curve) >= -1e-12)


def test_coverage_at_an_equal_sentence_count_is_the_mean_over_choices_of_sentences() -> None:
    rng = np.random.default_rng(0)
    sentences, responses = rng.normal(size=(5, 4)), [rng.normal(size=(t, 4)) for t in (1, 3, 6)]
    for n in (1, 2, 3):
        expected = [
            np.mean([coverage(best_matches(sentences, [own[list(c)]]), 0.3) for c in combinations(range(len(own)), m)])
            for own in responses
            for m in [min(n, len(own))]
        ]
        assert coverage_at(sentences, responses, n, 0.3) == pytest.approx(np.mean(expected))
    whole = coverage(best_matches(sentences, responses), 0.3)
    assert coverage_at(sentences, responses, 100, 0.3) == pytest.approx(whole)
    assert coverage_at(np.zeros((0, 4)), responses, 1) is None
    assert coverage_at(sentences, [np.zeros((0, 4))], 1) == 0.0
