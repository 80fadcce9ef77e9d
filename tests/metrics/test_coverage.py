from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from alignbench.metrics.coverage import best_matches, coverage, coverage_at, missed

X, Y, Z = np.eye(3)


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


@pytest.mark.parametrize("n", [1, 5, 80])
def test_what_is_missed_is_a_share_of_all_choices(n: int) -> None:
    hits = np.array([n, 0, n // 2, 0])
    expected = [[comb(n - h, k) / comb(n, k) for h in hits.tolist()] for k in range(1, n + 1)]
    np.testing.assert_allclose(missed(hits, n), expected, rtol=1e-9)
