"""Responses compared at equal lengths: known answers by hand, and by a slow implementation of the definition."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics import length_matched
from alignbench.metrics.cut_texts import CutText, CutTexts
from alignbench.metrics.length_matched import (
    MIN_WORDS,
    CommonLength,
    MatchedValue,
    at_common_length,
    matched_similarity,
    matched_value,
)
from alignbench.metrics.lexical import content_ngrams, content_stems, jaccard
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.overlap import rouge_l
from alignbench.metrics.porter import stem
from alignbench.metrics.registry import METRICS
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import WORKBENCH, Response
from alignbench.metrics.words import words
from tests.support.texts import texts

LONG = "One two three. Four five. Six seven eight nine. Ten eleven, twelve thirteen fourteen. Fifteen!"
A = ["Red blue green gold pink grey.", "Red blue green black white brown teal."]
B = ["Sun moon star sky rain.", "Sun moon wind fog hail snow ice."]
LEXICAL = [name for name, metric in METRICS.items() if metric.lexical]


def matched(metric: str, own: list[str], others: list[str], seed: int = 0) -> MatchedValue:
    lexicon = Lexicon(WORKBENCH, stem)
    cuts = CutTexts([CutText.of(text, lexicon, seed) for text in (*own, *others)], lexicon)
    formula = METRICS[metric].cut
    assert formula is not None
    of = np.arange(cuts.n)
    return matched_value(cuts, formula(cuts), of[: len(own)], of[len(own) :], seed)


def cut(text: str, n_words: int, seed: int = 0) -> tuple[str, ...]:
    """The words of a text that is cut, from its sentences and the order in which they are drawn."""
    drawn = CutText.of(text, Lexicon(WORKBENCH, stem), seed)
    said = [word for sentence in sentences(text) for word in words(sentence)]
    return tuple(word for word, draw in zip(said, drawn.draws, strict=True) if draw < n_words)


@pytest.mark.parametrize(
    ("metric", "value", "reference"),
    [
        ("jaccard", 3 / 7, 2 / 8),  # red blue green of ten words; sun moon of ten
        ("jaccard_stem", 3 / 7, 2 / 8),
        ("jaccard_2", 2 / 6, 1 / 7),
        ("rouge_l", 3 / 5, 2 / 5),
    ],
)
def test_all_four_responses_have_the_words_of_the_shortest(metric: str, value: float, reference: float) -> None:
    compared = matched(metric, A, B)
    assert compared.value == pytest.approx(value)
    assert compared.reference == pytest.approx(reference)
    assert compared.difference == pytest.approx(value - reference)
    assert (compared.n, compared.skipped, compared.reason) == (1, 0, "")


def test_quadruples_with_a_short_response_are_skipped_and_counted() -> None:
    few = matched("jaccard", [*A, "Four words are few."], B)
    assert (few.value, few.n, few.skipped) == (pytest.approx(3 / 7), 1, 2)
    none = matched("jaccard", ["Four words are few.", "", A[0]], B)
    assert (none.value, none.n, none.skipped) == (None, 0, 3)
    assert "under 5 words" in none.reason
    assert matched("jaccard", A[:1], B) == MatchedValue(None, None, 0, 0, "needs 2 samples, has 1")


def test_a_cut_draws_whole_sentences_and_keeps_their_order() -> None:
    draws = {cut(LONG, 6, seed) for seed in range(40)}
    assert len(draws) > 5
    for drawn in draws:
        assert len(drawn) == 6
        parts = [tuple(word for word in words(one) if word in drawn) for one in sentences(LONG)]
        assert tuple(word for part in parts for word in part) == drawn, "in their order"
        cut_ones = [(part, words(one)) for part, one in zip(parts, sentences(LONG), strict=True) if part]
        assert all(whole[: len(part)] == part for part, whole in cut_ones)
        assert sum(part != whole for part, whole in cut_ones) <= 1, "only one sentence is cut"
    assert cut(LONG, 15) == words(LONG)


@pytest.mark.parametrize("metric", LEXICAL)
@given(st.lists(texts, max_size=4), st.lists(texts, max_size=3), st.integers(0, 3))
def test_it_is_the_definition(metric: str, own: list[str], others: list[str], seed: int) -> None:
    def similarity(a: tuple[str, ...], b: tuple[str, ...]) -> float | None:
        one, other = Response(0, " ".join(a)), Response(1, " ".join(b))
        match metric:
            case "jaccard":
                return jaccard(one.content, other.content)
            case "jaccard_stem":
                return jaccard({*content_stems(stem)(one)}, {*content_stems(stem)(other)})
            case "jaccard_2":
                return jaccard({*content_ngrams(2)(one)}, {*content_ngrams(2)(other)})
            case "rouge_l":
                return rouge_l(a, b)
        raise AssertionError(f"no definition of {metric} here")

    lengths = {text: len([word for one in sentences(text) for word in words(one)]) for text in (*own, *others)}
    values, skipped = [], 0
    for pair in itertools.combinations(own, 2):
        for other in itertools.combinations(others, 2):
            w = min(lengths[text] for text in (*pair, *other))
            both = [similarity(*(cut(text, w, seed) for text in of)) for of in (pair, other)] if w >= MIN_WORDS else []
            if None in both or not both:
                skipped += 1
            else:
                values.append(both)
    compared = matched(metric, own, others, seed)
    assert (compared.n, compared.skipped) == (len(values), skipped)
    if values:
        assert compared.value == pytest.approx(statistics.fmean(value for value, _ in values))
        assert compared.reference == pytest.approx(statistics.fmean(reference for _, reference in values))


def said(n_sentences: int, seed: int, vocabulary: int = 60) -> str:
    draw = random.Random(seed)
    return " ".join(
        f"{' '.join(f'w{draw.randrange(vocabulary)}' for _ in range(8)).capitalize()}." for _ in range(n_sentences)
    )


@pytest.mark.parametrize("metric", LEXICAL)
def test_length_alone_makes_no_difference(metric: str) -> None:
    """Both say words of one vocabulary at random, the one five times as many."""
    gaps = [
        matched(metric, [said(10, 100 * p + i) for i in range(4)], [said(2, 70_000 + 100 * p + i) for i in range(4)])
        for p in range(60)
    ]
    differences = [gap.difference for gap in gaps]
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    assert abs(statistics.fmean(differences)) < 3 * error


def test_many_quadruples_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    own, others = [said(4, i) for i in range(8)], [said(6, 100 + i) for i in range(8)]
    every = matched("jaccard", own, others)
    assert every.n == 28 * 28
    monkeypatch.setattr(length_matched, "MOST_QUADRUPLES", 200)
    some = matched("jaccard", own, others)
    assert some.n == 200
    assert some.value == pytest.approx(every.value, abs=0.02)
    assert some == matched("jaccard", own, others)


def common(metric: str, *sets: list[str], seed: int = 0) -> CommonLength:
    lexicon = Lexicon(WORKBENCH, stem)
    cuts = CutTexts([CutText.of(text, lexicon, seed) for of in sets for text in of], lexicon)
    formula = METRICS[metric].cut
    assert formula is not None
    ends = np.cumsum([len(of) for of in sets])
    return at_common_length(cuts, formula(cuts), np.split(np.arange(cuts.n), ends[:-1]), seed)


def test_all_responses_of_several_sets_have_the_words_of_the_shortest_of_all() -> None:
    c = ["Salt lamp pear coal bread moth, and more.", "Salt lamp pear fig ash."]
    compared = common("jaccard", A, B, c)
    assert compared.values == pytest.approx((3 / 7, 2 / 8, 3 / 7))  # each cut to five words
    assert (compared.n, compared.skipped, compared.reason) == (1, 0, "")
    short = common("jaccard", [*A, "Four words are few."], B, c)
    assert (short.values, short.n, short.skipped) == (pytest.approx(compared.values), 1, 2)
    none = common("jaccard", A, B, ["", "Too short."])
    assert (none.values, none.n, none.skipped) == ((), 0, 1)
    assert none.reason == "in every 3 pairs of responses one has under 5 words, or none that counts"
    assert common("jaccard", A, B, c[:1]) == CommonLength((), 0, 0, "needs 2 samples, has 1")


@pytest.mark.parametrize("metric", LEXICAL)
@given(st.lists(texts, max_size=4), st.lists(texts, max_size=3), st.integers(0, 3))
def test_of_two_sets_a_common_length_is_the_matched_one(
    metric: str, own: list[str], others: list[str], seed: int
) -> None:
    of_two, both = matched(metric, own, others, seed), common(metric, own, others, seed=seed)
    assert (of_two.n, of_two.skipped, of_two.reason) == (both.n, both.skipped, both.reason)
    assert both.values == (() if of_two.value is None else (of_two.value, of_two.reference))


def test_many_choices_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [[said(4 + k, 100 * k + i) for i in range(5)] for k in range(3)]
    every = common("jaccard", *sets)
    assert every.n == 1_000
    monkeypatch.setattr(length_matched, "MOST_QUADRUPLES", 400)
    some = common("jaccard", *sets)
    assert some.n == 400
    assert some.values == pytest.approx(every.values, abs=0.02)
    assert some == common("jaccard", *sets)


def test_a_similarity_at_matched_length_is_the_definition() -> None:
    """Every response of the reference that is compared, with one of each side and another one of the reference."""
    sides = {
        "own": [said(3, seed) for seed in range(2)],
        "floor": [said(2, seed, vocabulary=30) for seed in (7, 8)],
        "reference": [said(4, seed) for seed in (3, 4, 5)],
    }
    texts_of = [text for side in sides.values() for text in side]
    lexicon = Lexicon(WORKBENCH, stem)
    cuts = CutTexts([CutText.of(text, lexicon, 0) for text in texts_of], lexicon)
    formula = METRICS["jaccard"].cut
    assert formula is not None
    rows = np.arange(cuts.n)
    own, floor, reference = rows[:2], rows[2:4], rows[4:]
    found = matched_similarity(cuts, formula(cuts), own, floor, reference[1:], reference)

    def alike(one: str, other: str, n_words: int) -> float:
        first, second = (frozenset(cut(text, n_words)) - WORKBENCH.stop_words for text in (one, other))
        return len(first & second) / len(first | second)

    fours = [
        (first, a, low, second)
        for first, a, low, second in itertools.product(
            sides["reference"][1:], sides["own"], sides["floor"], sides["reference"]
        )
        if first != second
    ]
    means = [
        statistics.fmean(alike(four[0], four[at], min(len(words(text)) for text in four)) for four in fours)
        for at in (1, 2, 3)
    ]
    assert found.n == len(fours)
    assert [found.value, found.floor, found.ceiling] == pytest.approx(means)
    assert found.gap_ci is not None
    assert found.ceiling is not None
    assert found.floor is not None
    assert found.gap_ci[0] <= found.ceiling - found.floor <= found.gap_ci[1]
    alone = matched_similarity(cuts, formula(cuts), own, floor, reference[:1], reference[:1])
    assert (alone.value, alone.reason[:11]) == (None, "needs two s")
