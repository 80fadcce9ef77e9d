from __future__ import annotations

import statistics

import numpy as np
import pytest

from alignbench.metrics.lexical import (
    CrossLexicalSimilarity,
    Length,
    LexicalSimilarity,
    WordSets,
    content_ngrams,
    content_stems,
    jaccard,
)
from alignbench.metrics.porter import stem
from alignbench.metrics.values import Value
from tests.support.texts import JANE, T3, value_of


def test_jaccard_of_two_sets() -> None:
    assert jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert jaccard(frozenset("ab"), frozenset("ab")) == 1.0
    assert jaccard(frozenset("ab"), frozenset()) == 0.0
    assert jaccard(frozenset(), frozenset()) is None


def listed(similarities: np.ndarray) -> list[float | None]:
    return [None if np.isnan(similarity) else similarity for similarity in similarities]


def test_similarities_to_all_sets_at_once_are_those_one_by_one() -> None:
    sets = [frozenset("abc"), frozenset(), frozenset("cd"), frozenset("xyz"), frozenset("abc")]
    indexed = WordSets()
    for words in sets:
        expected = [jaccard(earlier, words) for earlier in sets[: len(indexed)]]
        assert listed(indexed.similarities(words)) == expected
        assert listed(indexed.add(words)) == expected
    assert listed(indexed.similarities(frozenset("abx"), first=1)) == [2 / 4]
    assert listed(indexed.similarities(frozenset())) == [0.0, None, 0.0, 0.0, 0.0]


def test_lexical_similarity_known_answers() -> None:
    # {cat, sat, mat}, {cat, sat, rug}, {dog, ran, park}: pairs 2/4, 0, 0
    assert value_of(LexicalSimilarity(), T3) == Value(pytest.approx(1 / 6, abs=1e-12), 3)
    assert value_of(LexicalSimilarity(), [T3[0]] * 3).value == 1.0
    # pairs 0, 0, 0, 1/5, 2/3, 1/3, 1/5, 2/3, 2/5, 1/2
    assert value_of(LexicalSimilarity(), JANE).value == pytest.approx(0.2966667, abs=1e-7)


def test_a_pair_without_content_words_is_skipped_and_counted() -> None:
    value = value_of(LexicalSimilarity(), ["", "it is", "a cat"])
    assert value == Value(0.0, 3, skipped=1)
    nothing = value_of(LexicalSimilarity(), ["", "it is", "!"])
    assert nothing == Value(None, 3, "no content words in either response of 3 pairs", skipped=3)


def test_one_response_has_no_pairwise_similarity() -> None:
    assert value_of(LexicalSimilarity(), []) == Value(None, 0, "needs 2 samples, has 0")
    assert value_of(LexicalSimilarity(), ["a cat"]) == Value(None, 1, "needs 2 samples, has 1")


def test_cross_similarity_takes_all_pairs_and_follows_both_sides() -> None:
    a, b = WordSets(), WordSets()
    similarity = CrossLexicalSimilarity(a, b)
    assert similarity.pairs().mean is None
    a.add({"cat", "mat"})
    b.add({"cat", "rug"})
    b.add({"cat", "mat"})
    assert similarity.pairs().mean == pytest.approx((1 / 3 + 1) / 2)
    a.add(set())
    b.add(set())
    # cat mat: 1/3, 1, 0; no content words: 0, 0, skipped
    assert similarity.pairs().mean == pytest.approx((1 / 3 + 1) / 5)
    assert (similarity.pairs().n, similarity.pairs().skipped) == (5, 1)


def test_word_pairs_are_of_the_words_left_when_stop_words_are_out() -> None:
    # cat sat, sat mat / cat sat, sat rug / dog ran, ran park: 1/3, 0, 0
    assert value_of(LexicalSimilarity(content_ngrams(2)), T3).value == pytest.approx(1 / 9)
    assert value_of(LexicalSimilarity(content_ngrams(2)), ["cat", "dog"]).reason.startswith("no content words")


def test_stems_are_one_word() -> None:
    pytest.importorskip("nltk", reason="stems are NLTK's")
    texts = ["running cats", "run cat"]
    assert value_of(LexicalSimilarity(), texts).value == 0.0
    assert value_of(LexicalSimilarity(content_stems(stem)), texts).value == 1.0


def test_length_counts_stop_words_and_empty_responses() -> None:
    lengths = [6, 0, 3]
    value = value_of(Length(), [T3[0], "", "see Spot run"])
    assert value == Value(3.0, 3, sd=pytest.approx(statistics.stdev(lengths)))
    assert value_of(Length(), ["one two"]) == Value(2.0, 1)
    assert value_of(Length(), []) == Value(None, 0, "needs 1 sample, has 0")
