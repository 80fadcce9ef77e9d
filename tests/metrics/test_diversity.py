from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.diversity import Distinct, ExpectationAdjustedDistinct, Mattr, NgramDiversity, SelfRepetition
from alignbench.metrics.ngrams import NgramIndex
from alignbench.metrics.values import Response, RunningScore, Value
from alignbench.metrics.words import words
from tests.support.texts import ID3, JANE, SPLIT, T3, spaced, texts, value_of

SCORES: list[Callable[[], RunningScore]] = [
    lambda: Distinct(2),
    ExpectationAdjustedDistinct,
    NgramDiversity,
    SelfRepetition,
    Mattr,
]


def grams(text: str, order: int) -> list[tuple[str, ...]]:
    text_words = words(text)
    return [tuple(text_words[i : i + order]) for i in range(len(text_words) - order + 1)]


def test_distinct_known_answers() -> None:
    # words with stop words in: 15 pairs of neighbours, of which the first two texts share four
    assert value_of(Distinct(2), T3).value == pytest.approx(11 / 15)
    assert value_of(Distinct(1), T3).value == pytest.approx(11 / 18)
    assert value_of(Distinct(2), JANE).value == pytest.approx(6 / 9)
    assert value_of(Distinct(2), ID3).value == pytest.approx(5 / 15)


def test_distinct_keeps_pairs_inside_a_response() -> None:
    assert value_of(Distinct(2), ["cat", "dog"]) == Value(None, 2, "no response has 2 words")
    assert value_of(Distinct(2), []) == Value(None, 0, "needs 1 sample, has 0")


def test_expectation_adjusted_distinct_known_answer() -> None:
    assert value_of(ExpectationAdjustedDistinct(), T3).value == pytest.approx(0.6112735, abs=1e-7)
    assert value_of(ExpectationAdjustedDistinct(vocabulary=10), T3).value == pytest.approx(11 / (10 * (1 - 0.9**18)))
    assert value_of(ExpectationAdjustedDistinct(), ["!"]).reason == "no response has 1 word"


def test_ngram_diversity_known_answers() -> None:
    assert value_of(NgramDiversity(), T3).value == pytest.approx(2.872222, abs=1e-6)
    assert value_of(NgramDiversity(), ID3).value == pytest.approx(1.277778, abs=1e-6)
    assert value_of(NgramDiversity(), ["one two three"]) == Value(None, 1, "no response has 4 words")


def test_self_repetition_known_answers() -> None:
    assert value_of(SelfRepetition(), T3).value == pytest.approx(2 / 3 * math.log(3))
    assert value_of(SelfRepetition(), ID3).value == pytest.approx(math.log(7))
    # inside one response each of the two occurrences meets the other
    assert value_of(SelfRepetition(), ["a b c d x a b c d"]).value == pytest.approx(math.log(3))
    assert value_of(SelfRepetition(), ["one"]).reason == "no response has 4 words"


def test_mattr_known_answers() -> None:
    assert value_of(Mattr(window=5), ["a b a c a b d e a b"]).value == pytest.approx(0.766667, abs=1e-6)
    assert value_of(Mattr(), ["a b a c"]).value == 3 / 4  # shorter than the window: one window
    assert value_of(Mattr(), ["a b", "", "a a"]) == Value(0.75, 2)
    assert value_of(Mattr(), ["", ""]) == Value(None, 2, "no response has 1 word")
    assert value_of(Mattr(), []) == Value(None, 0, "needs 1 sample, has 0")


@pytest.fixture(scope="module")
def lexicalrichness() -> ModuleType:
    module: ModuleType = pytest.importorskip("lexicalrichness", reason="the oracle of MATTR")
    return module


@given(text=spaced.filter(bool), window=st.integers(1, 60))
def test_mattr_is_that_of_lexicalrichness(lexicalrichness: ModuleType, text: str, window: int) -> None:
    oracle = lexicalrichness.LexicalRichness(text, preprocessor=None, tokenizer=str.split)
    expected = oracle.mattr(window_size=min(window, oracle.words))
    assert value_of(Mattr(window=window), [text], SPLIT).value == pytest.approx(expected, abs=1e-6)


@given(st.lists(texts, max_size=6))
def test_n_gram_scores_are_their_definitions(responses: list[str]) -> None:
    for order in (1, 2, 3):
        all_grams = [gram for text in responses for gram in grams(text, order)]
        expected = pytest.approx(len(set(all_grams)) / len(all_grams)) if all_grams else None
        assert value_of(Distinct(order), responses).value == expected
    counts = Counter(gram for text in responses for gram in grams(text, 4))
    repeats = [math.log(1 + sum(counts[gram] - 1 for gram in grams(text, 4))) for text in responses]
    expected = pytest.approx(math.fsum(repeats) / len(repeats), abs=1e-9) if counts else None
    assert value_of(SelfRepetition(), responses).value == expected


@pytest.mark.parametrize("score", SCORES, ids=lambda make: type(make()).__name__)
@given(responses=st.lists(texts, min_size=1, max_size=6), data=st.data())
def test_order_does_not_matter(score: Callable[[], RunningScore], responses: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(responses))
    value, other = value_of(score(), responses), value_of(score(), shuffled)
    assert other == Value(None if value.value is None else pytest.approx(value.value, abs=1e-9), value.n, value.reason)


@given(st.lists(spaced.filter(lambda text: len(text.split()) > 3), min_size=1, max_size=5))
def test_a_duplicate_makes_a_set_less_diverse(responses: list[str]) -> None:
    more = [*responses, responses[0]]
    for order in (1, 2, 3):
        assert value_of(Distinct(order), more, SPLIT).value < value_of(Distinct(order), responses, SPLIT).value
    alone = value_of(NgramDiversity(), responses, SPLIT).value
    assert value_of(NgramDiversity(), more, SPLIT).value < alone
    assert 0 < alone <= 4


@given(st.lists(texts, max_size=6))
def test_scores_of_one_set_share_an_index(responses: list[str]) -> None:
    index = NgramIndex()
    shared: list[RunningScore] = [Distinct(3, index), SelfRepetition(index), Mattr(index), NgramDiversity(index)]
    alone: list[RunningScore] = [Distinct(3), SelfRepetition(), Mattr(), NgramDiversity()]
    for i, text in enumerate(responses):
        response = Response(i, text)
        for score in (*shared, *alone):
            score.add(response)
        assert [score.value() for score in shared] == [score.value() for score in alone]
