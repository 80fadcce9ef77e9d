from __future__ import annotations

import numpy as np
import pytest

from alignbench.metrics.bertscore import TokenVectors, bertscore_f1, bertscore_matrix


def of(vectors: np.ndarray, counts: list[bool] | None = None) -> TokenVectors:
    return TokenVectors(vectors.astype(np.float32), np.array(counts or [True] * len(vectors), np.bool_))


def tokens(n: int, seed: int, marks: bool = False) -> TokenVectors:
    vectors = np.random.default_rng(seed).random((n, 6))
    return of(vectors, [not (marks and i in (0, n - 1)) for i in range(n)])


EMPTY = of(np.zeros((0, 3)))


def test_known_answers() -> None:
    a, b = np.eye(3)[:2], np.eye(3)[[0, 0, 2]]
    # precision: 1, 0; recall: 1, 1, 0
    assert bertscore_f1(of(a), of(b)) == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))
    assert bertscore_f1(of(a), of(a * 5)) == pytest.approx(1.0)
    assert bertscore_f1(of(a[:1]), of(b[2:])) == 0.0
    assert bertscore_f1(of(a), EMPTY) is None
    assert bertscore_f1(of(a, [False, False]), of(b)) is None
    # The second token of b is a mark: it does not count, though it may be matched.
    assert bertscore_f1(of(a[:1]), of(b, [True, False, True])) == pytest.approx(2 * 1 * (1 / 2) / (1 + 1 / 2))


def test_it_is_symmetric_and_a_matrix_holds_every_pair() -> None:
    a = [tokens(3, 0), tokens(1, 1), tokens(7, 5, marks=True)]
    b = [tokens(4, 2), EMPTY, tokens(5, 3, marks=True)]
    matrix = bertscore_matrix(a, b)
    assert np.isnan(matrix[:, 1]).all()
    for i, one in enumerate(a):
        for j in (0, 2):
            assert matrix[i, j] == pytest.approx(bertscore_f1(one, b[j]), abs=1e-6)
            assert matrix[i, j] == pytest.approx(bertscore_f1(b[j], one), abs=1e-6)
    assert bertscore_matrix([], b).shape == (0, 3)


@pytest.mark.slow
def test_matching_is_that_of_the_authors() -> None:
    """Their function on the same arrays: the first and last token, marks of beginning and end, may be matched only."""
    torch = pytest.importorskip("torch", reason="bert-score works on tensors")
    utils = pytest.importorskip("bert_score.utils", reason="the oracle of BERTScore")
    for seed, (n, m) in enumerate([(3, 3), (4, 9), (12, 5)]):
        a, b = tokens(n, seed, marks=True), tokens(m, seed + 100, marks=True)
        arguments = []
        for side in (b, a):  # reference, then hypothesis
            unit = side.vectors / np.linalg.norm(side.vectors, axis=1, keepdims=True)
            mask = torch.ones(1, len(unit))
            arguments += [torch.tensor(unit)[None].double(), mask.double(), torch.tensor(side.counts)[None].double()]
        f1 = utils.greedy_cos_idf(*arguments)[2]
        assert bertscore_f1(a, b) == pytest.approx(f1.item(), abs=1e-6)
