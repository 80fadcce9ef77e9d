from __future__ import annotations

import numpy as np
import pytest

from alignbench.scores.bertscore import bertscore_f1, bertscore_matrix


def tokens(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 6))


def test_known_answers() -> None:
    a, b = np.eye(3)[:2], np.eye(3)[[0, 0, 2]]
    # precision: 1, 0; recall: 1, 1, 0
    assert bertscore_f1(a, b) == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))
    assert bertscore_f1(a, a * 5) == pytest.approx(1.0)
    assert bertscore_f1(a[:1], b[2:]) == 0.0
    assert bertscore_f1(a, np.zeros((0, 3))) is None
    assert bertscore_f1(a, b, weights_a=[0, 0]) is None


def test_it_is_symmetric_and_a_matrix_holds_every_pair() -> None:
    a, b = [tokens(3, 0), tokens(1, 1)], [tokens(4, 2), np.zeros((0, 6))]
    assert bertscore_f1(a[0], b[0]) == pytest.approx(bertscore_f1(b[0], a[0]))
    matrix = bertscore_matrix(a, b)
    assert matrix[1, 0] == bertscore_f1(a[1], b[0])
    assert np.isnan(matrix[:, 1]).all()


@pytest.mark.slow
def test_matching_is_that_of_the_authors() -> None:
    """Their function on the same arrays: the first and last token, marks of beginning and end, may be matched only."""
    torch = pytest.importorskip("torch", reason="bert-score works on tensors")
    utils = pytest.importorskip("bert_score.utils", reason="the oracle of BERTScore")
    for seed, (n, m) in enumerate([(3, 3), (4, 9), (12, 5)]):
        a, b = tokens(n, seed), tokens(m, seed + 100)
        wa, wb = np.ones(n), np.ones(m)
        wa[[0, -1]] = wb[[0, -1]] = 0.0
        arguments = []
        for side, weights in ((b, wb), (a, wa)):  # reference, then hypothesis
            unit = side / np.linalg.norm(side, axis=1, keepdims=True)
            mask = torch.ones(1, len(side))
            arguments += [torch.tensor(unit)[None], mask.double(), torch.tensor(weights)[None]]
        f1 = utils.greedy_cos_idf(*arguments)[2]
        assert bertscore_f1(a, b, wa, wb) == pytest.approx(f1.item(), abs=1e-6)
