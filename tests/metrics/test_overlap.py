from __future__ import annotations

import random
from itertools import combinations, product
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.overlap import RougeL, SelfBleu, rouge_l
from alignbench.metrics.values import Response, Value
from tests.support.texts import ID3, JANE, SPLIT, T3, spaced, texts, value_of

sets = st.lists(spaced, min_size=2, max_size=6)


def lcs(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], diagonal + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def test_rouge_l_known_answers() -> None:
    assert [rouge_l(a.split(), b.split()) for a, b in combinations(T3, 2)] == pytest.approx([5 / 6, 1 / 6, 1 / 6])
    assert value_of(RougeL(), T3).value == pytest.approx(0.388889, abs=1e-6)
    assert value_of(RougeL(), ID3).value == 1.0
    assert rouge_l(["cat"], ["dog"]) == 0.0
    assert rouge_l(["cat"], []) == 0.0
    assert rouge_l([], []) is None


def test_rouge_l_skips_a_pair_without_words() -> None:
    assert value_of(RougeL(), ["", "!", "cat"]) == Value(0.0, 3, skipped=1)
    assert value_of(RougeL(), ["", ""]) == Value(None, 2, "no words in either response of 1 pair", skipped=1)
    assert value_of(RougeL(), ["cat"]) == Value(None, 1, "needs 2 samples, has 1")


@given(spaced, spaced)
def test_rouge_l_is_that_of_the_plain_subsequence(a: str, b: str) -> None:
    x, y = a.split(), b.split()
    assert rouge_l(x, y) == (pytest.approx(2 * lcs(x, y) / (len(x) + len(y))) if x or y else None)


@pytest.fixture(scope="module")
def rouge_scorer() -> ModuleType:
    module: ModuleType = pytest.importorskip("rouge_score.rouge_scorer", reason="the oracle of ROUGE-L")
    return module


@pytest.fixture(scope="module")
def nltk_bleu() -> ModuleType:
    module: ModuleType = pytest.importorskip("nltk.translate.bleu_score", reason="the oracle of self-BLEU")
    return module


@pytest.fixture(scope="module")
def sacrebleu() -> ModuleType:
    module: ModuleType = pytest.importorskip("sacrebleu", reason="an oracle of self-BLEU")
    return module


@given(a=spaced.filter(bool), b=spaced.filter(bool))
def test_rouge_l_is_that_of_rouge_score(rouge_scorer: ModuleType, a: str, b: str) -> None:
    class Spaces:
        def tokenize(self, text: str) -> list[str]:  # its own tokenizer keeps [a-z0-9] only
            return text.split()

    oracle = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Spaces())
    assert rouge_l(a.split(), b.split()) == pytest.approx(oracle.score(a, b)["rougeL"].fmeasure, abs=1e-6)


@given(st.lists(texts, max_size=5), st.lists(texts, max_size=5), st.randoms(use_true_random=False))
def test_cross_rouge_l_takes_all_pairs_and_follows_both_sides(
    a: list[str], b: list[str], shuffler: random.Random
) -> None:
    one, other = RougeL(), RougeL()
    cross = one.against(other)
    arrivals = [(one, text) for text in a] + [(other, text) for text in b]
    shuffler.shuffle(arrivals)
    for i, (side, text) in enumerate(arrivals):
        side.add(Response(i, text))
        if shuffler.random() < 0.5:
            cross.pairs()
    pairs = [rouge_l(Response(0, x).words, Response(0, y).words) for x, y in product(a, b)]
    there = [pair for pair in pairs if pair is not None]
    assert cross.pairs().skipped == len(pairs) - len(there)
    assert cross.pairs().mean == (pytest.approx(sum(there) / len(there), abs=1e-9) if there else None)


def test_self_bleu_known_answers() -> None:
    assert value_of(SelfBleu(), T3, SPLIT).value == pytest.approx(0.5201654, abs=1e-7)
    assert value_of(SelfBleu(), JANE, SPLIT).value == pytest.approx(0.1397952, abs=1e-7)
    assert value_of(SelfBleu(), ID3).value == pytest.approx(1.0)
    assert value_of(SelfBleu(), ["a b c d", "e f g h"]).value == 0.0


def test_self_bleu_of_too_little_is_null() -> None:
    assert value_of(SelfBleu(), []) == Value(None, 0, "needs 2 samples, has 0")
    assert value_of(SelfBleu(), ["a"]) == Value(None, 1, "needs 2 samples, has 1")
    assert value_of(SelfBleu(), ["", "!"]) == Value(None, 2, "no response has a word")


@given(responses=sets.filter(any))
def test_self_bleu_is_that_of_nltk(nltk_bleu: ModuleType, responses: list[str]) -> None:
    smoothing = nltk_bleu.SmoothingFunction().method1
    split = [text.split() for text in responses]
    expected = [
        nltk_bleu.sentence_bleu([*split[:i], *split[i + 1 :]], words, smoothing_function=smoothing)
        for i, words in enumerate(split)
    ]
    actual = value_of(SelfBleu(), responses, SPLIT).value
    assert actual == pytest.approx(sum(expected) / len(expected), abs=1e-6)


@given(responses=st.lists(spaced.filter(lambda text: len(text.split()) > 3), min_size=2, max_size=5))
def test_self_bleu_is_that_of_sacrebleu(sacrebleu: ModuleType, responses: list[str]) -> None:
    oracle = sacrebleu.BLEU(smooth_method="floor", smooth_value=0.1, tokenize="none", effective_order=False)
    expected = []
    for i, text in enumerate(responses):
        score = oracle.sentence_score(text, [*responses[:i], *responses[i + 1 :]])
        # Without one shared word NLTK's score is 0; sacrebleu smooths it like any other order.
        expected.append(score.score / 100 if score.counts[0] else 0.0)
    actual = value_of(SelfBleu(), responses, SPLIT).value
    assert actual == pytest.approx(sum(expected) / len(expected), abs=1e-6)


@given(sets, st.randoms(use_true_random=False))
def test_overlap_does_not_depend_on_order_and_stays_in_range(responses: list[str], shuffler: random.Random) -> None:
    shuffled = list(responses)
    shuffler.shuffle(shuffled)
    for score in (RougeL, SelfBleu):
        value = value_of(score(), responses, SPLIT).value
        again = value_of(score(), shuffled, SPLIT).value
        assert again == (None if value is None else pytest.approx(value, abs=1e-9))
        assert value is None or 0.0 <= value <= 1.0 + 1e-12


@given(st.lists(spaced.filter(bool), min_size=2, max_size=5))
def test_duplicates_raise_self_bleu_to_one(responses: list[str]) -> None:
    long = [text for text in responses if len(text.split()) > 3] or [T3[0]]
    assert value_of(SelfBleu(), long * 2, SPLIT).value == pytest.approx(1.0)
