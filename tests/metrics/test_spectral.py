from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.lexical import jaccard
from alignbench.metrics.semantic import EmbeddedSet, cosine_matrix
from alignbench.metrics.spectral import Kernel, VendiNgram, vendi
from alignbench.metrics.values import Response, Value
from tests.support.texts import ID3, JANE, SPLIT, T3, spaced, value_of

THREE = [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]]


def test_known_answers() -> None:
    assert vendi(THREE) == pytest.approx(2.157300, abs=1e-6)
    assert vendi(THREE, q=2) == pytest.approx(1.948052, abs=1e-6)
    assert vendi(THREE, q=math.inf) == pytest.approx(1.578947, abs=1e-6)
    for q in (0.5, 1, 2, math.inf):
        assert vendi(np.eye(4), q) == pytest.approx(4)
        assert vendi(np.ones((4, 4)), q) == pytest.approx(1)


@pytest.mark.parametrize("kernel", [np.ones((2, 3)), np.ones(3), np.ones((0, 0))])
def test_a_kernel_is_a_square_matrix(kernel: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a kernel is a square matrix"):
        vendi(kernel)
    with pytest.raises(ValueError, match="0 or more"):
        vendi(np.eye(2), q=-1)


def test_vendi_of_n_grams_known_answers() -> None:
    assert value_of(VendiNgram(), T3).value == pytest.approx(2.257507, abs=1e-6)
    assert value_of(VendiNgram(), ID3).value == pytest.approx(1.0)
    sets = [Response(0, text).content for text in T3]
    assert vendi([[jaccard(a, b) for b in sets] for a in sets]) == pytest.approx(2.749459, abs=1e-6)
    kept = [frozenset(text.split()) for text in T3]
    assert vendi([[jaccard(a, b) for b in kept] for a in kept]) == pytest.approx(2.539, abs=1e-3)


def test_responses_without_words_are_left_out_and_single_words_have_no_pair() -> None:
    assert value_of(VendiNgram(), ["a", "!", "b"]).n == 2
    assert value_of(VendiNgram(), ["", "a"]) == Value(None, 1, "needs 2 samples, has 1 with words among 2")
    assert value_of(VendiNgram(), ["a"]) == Value(None, 1, "needs 2 samples, has 1")
    assert value_of(VendiNgram(), ["a", "a"]).value == pytest.approx(1.0)
    # alike as to pairs, different as to words
    assert value_of(VendiNgram(), ["a", "b"]).value == pytest.approx(vendi([[1, 0.5], [0.5, 1]]))


@pytest.mark.filterwarnings("ignore:Please import `csr_matrix`:DeprecationWarning")
def test_vendi_is_that_of_the_authors() -> None:
    oracle = pytest.importorskip("vendi_score.vendi", reason="the oracle of the Vendi score")
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 30):
        rows = rng.normal(size=(n, 40))  # more dimensions than items: the package weighs rounding error like the rest
        kernel = cosine_matrix(rows, rows)
        for q in (0.5, 1, 2):
            assert vendi(kernel, q) == pytest.approx(oracle.score_K(kernel, q=q), abs=1e-6)
        assert vendi(kernel, math.inf) == pytest.approx(oracle.score_K(kernel, q="inf"), abs=1e-6)


@given(st.lists(spaced, min_size=2, max_size=6))
def test_vendi_of_n_grams_is_that_of_the_kernel_from_scratch(responses: list[str]) -> None:
    there = [text.split() for text in responses if text]
    value = value_of(VendiNgram(), responses, SPLIT).value
    if len(there) < 2:
        assert value is None
        return
    kernels = []
    for order in (1, 2):
        grams = [list(zip(*(words[i:] for i in range(order)), strict=False)) or ["none"] for words in there]
        vocabulary = {gram for some in grams for gram in some}
        counts = [[some.count(gram) for gram in vocabulary] for some in grams]
        kernels.append(cosine_matrix(counts, counts))
    assert value == pytest.approx(vendi(np.mean(kernels, axis=0)), abs=1e-9)
    assert 1.0 <= value <= len(there)


def test_a_kernel_grows_by_rows() -> None:
    full = cosine_matrix(rows := np.random.default_rng(1).normal(size=(20, 4)), rows)
    np.fill_diagonal(full, 1.0)
    kernel = Kernel()
    for i in range(20):
        kernel.add(full[i, :i])
    np.testing.assert_array_equal(kernel.matrix, full)


def test_an_embedded_set_has_every_cosine_in_any_order_of_arrival() -> None:
    rows = np.random.default_rng(2).normal(size=(9, 5))
    vectors, order = EmbeddedSet(), [3, 0, 8, 1, 2, 7, 4, 6, 5]
    for sample in order:
        vectors.add(sample, rows[sample])
    np.testing.assert_allclose(vectors.cosines(), cosine_matrix(rows[order], rows[order]), atol=1e-12)
    assert vendi(vectors.cosines()) == pytest.approx(vendi(cosine_matrix(rows, rows)))
    classes = vectors.classes(0.3)
    assert list(classes) == sorted(order)
    cosines, founders = cosine_matrix(rows, rows), {}
    for sample, label in classes.items():
        first = founders.setdefault(label, sample)
        assert cosines[sample, first] >= 0.3
        assert all(cosines[sample, other] < 0.3 for c, other in founders.items() if c < label)
    np.testing.assert_allclose(vectors.cosines_with(EmbeddedSet()), np.zeros((9, 0)))


def test_jane_with_nltk_tokens_is_the_authors_number() -> None:
    tokens = [
        ["Look", ",", "Jane", "."], ["See", "Spot", "."], ["See", "Spot", "run", "."],
        ["Run", ",", "Spot", ",", "run", "."], ["Jane", "sees", "Spot", "run", "."],
    ]  # fmt: skip
    spaced_out = [" ".join(words) for words in tokens]
    assert [text.replace(" ", "") for text in spaced_out] == [text.replace(" ", "") for text in JANE]
    assert value_of(VendiNgram(), spaced_out, SPLIT).value == pytest.approx(3.906574, abs=1e-6)


@given(st.lists(st.sampled_from(T3), min_size=2, max_size=6))
def test_q_one_lies_between_its_neighbours(responses: list[str]) -> None:
    sets = [frozenset(text.split()) for text in responses]
    kernel = np.array([jaccard(a, b) for a, b in product(sets, sets)], float).reshape(len(sets), -1)
    assert vendi(kernel, 0.5) + 1e-9 >= vendi(kernel, 1) >= vendi(kernel, 2) - 1e-9
