from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.sentences import sentences
from alignbench.metrics.words import words
from alignbench.scoring.batch import score_responses
from alignbench.scoring.equal_words import EqualWords, is_lexical, random_sentences, with_equal_words
from alignbench.scoring.scorer import ScoreRequest
from tests.support.given import GivenResponses
from tests.support.texts import texts

LONG = "One two three. Four five. Six seven eight nine. Ten eleven, twelve thirteen fourteen. Fifteen!"


def test_sentences_are_drawn_to_the_budget() -> None:
    draws = {random_sentences(LONG, 6, seed) for seed in range(40)}
    assert len(draws) > 5
    for drawn in draws:
        assert len(words(drawn)) == 6
        whole = [sentence for sentence in sentences(drawn) if sentence in sentences(LONG)]
        assert len(sentences(drawn)) - len(whole) <= 1, "only one sentence is cut"
        places = [LONG.index(sentence) for sentence in sentences(drawn)]
        assert places == sorted(places)
    assert random_sentences(LONG, 6, 3) == random_sentences(LONG, 6, 3)
    assert random_sentences("Short one.", 6, 0) == "Short one."


@given(texts, st.integers(0, 8), st.integers(0, 3))
def test_a_budget_is_never_exceeded(text: str, n_words: int, seed: int) -> None:
    assert len(words(random_sentences(text, n_words, seed))) <= max(n_words, 0) or len(words(text)) <= n_words


def test_the_budget_is_the_median_of_the_shortest_condition() -> None:
    given_texts = {
        "p": {"long": [LONG] * 2, "short": ["One two. Three four.", "One. Two.", "", "Just five words of it."]}
    }
    responses = EqualWords(GivenResponses(given_texts), 0)
    cells = responses.cells("p")
    assert [len(words(text)) for text in cells["long"].values()] == [4, 4]
    assert [len(words(text)) for text in cells["short"].values()] == [4, 2, 0, 4]
    assert responses.n == 6


def test_only_scores_over_texts_are_lexical() -> None:
    assert all(map(is_lexical, ("jaccard", "rouge_l", "self_bleu", "distinct_2")))
    assert not any(map(is_lexical, ("words", "embedding_diversity", "coverage", "surprisal")))


def test_long_responses_lose_what_their_length_shares() -> None:
    """Sentences of one vocabulary, more of them in A: its responses share more words only because they are longer."""
    draw = random.Random(0)
    nouns = [f"thing{i}" for i in range(120)]

    def response(n: int) -> str:
        return " ".join(f"A {draw.choice(nouns)} and a {draw.choice(nouns)}." for _ in range(n))

    responses = GivenResponses(
        {f"p{i}": {"A": [response(40) for _ in range(4)], "B": [response(5)] * 4} for i in range(3)}
    )
    request = ScoreRequest(("words", "jaccard"), ("jaccard",), reference="A", resamples=50)
    tables = score_responses(responses, request, None)
    tables = with_equal_words(tables, responses, request)
    entry = tables.within["A"]["jaccard"]
    assert entry.equal_words.value < entry.value / 2
    short = tables.within["B"]["jaccard"]
    assert (short.equal_words.value, short.equal_words.ci) == (short.value, short.ci)
    assert tables.cross["B"]["jaccard"].equal_words.value is not None
    assert tables.within["A"]["words"].equal_words is None
