"""Anchor spans: the known answer, a search through every run as oracle, and spans that were planted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.anchors import (
    AnchorShare,
    AnchorSpan,
    anchor_share,
    anchor_spans,
    anchored_words,
    holders_needed,
)
from alignbench.metrics.counted_cell import counted_cells
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.values import WORKBENCH, Response
from alignbench.metrics.word_table import Documents

KNOWN = ["a b c d e x", "a b c d e y", "z a b c d e"]


def split(texts: Sequence[str]) -> list[list[str]]:
    return [text.split() for text in texts]


def brute(responses: Sequence[Sequence[str]], least: int, needed: int) -> list[list[bool]]:
    """Every word looked for in every run of `least` words around it, in every response."""

    def has(response: Sequence[str], run: Sequence[str]) -> bool:
        return any([*response[i : i + len(run)]] == [*run] for i in range(len(response)))

    return [
        [
            any(
                len(run := response[first : first + least]) == least
                and sum(has(other, run) for other in responses) >= needed
                for first in range(max(0, at - least + 1), at + 1)
            )
            for at in range(len(response))
        ]
        for response in responses
    ]


def test_the_known_answer() -> None:
    assert anchor_share(split(KNOWN)) == pytest.approx(15 / 18)
    assert anchor_spans(split(KNOWN)) == (AnchorSpan(("a", "b", "c", "d", "e"), (0, 1, 2)),)


def test_both_thresholds_are_parameters() -> None:
    assert anchor_share(split(KNOWN), least=6) == 0.0
    assert anchor_share(split(KNOWN), least=1) == pytest.approx(15 / 18)
    assert anchor_share(split([*KNOWN, "q r s t u v"]), share=0.8) == 0.0
    assert anchor_share(split([*KNOWN, "q r s t u v"]), share=0.75) == pytest.approx(15 / 24)
    for least, share in ((0, 0.5), (5, 0.0), (5, 1.1)):
        with pytest.raises(ValueError, match=r"run has|share of responses"):
            anchor_share(split(KNOWN), least, share)


@pytest.mark.parametrize(("n", "share", "needed"), [(2, 0.5, 2), (3, 0.5, 2), (4, 0.5, 2), (5, 0.5, 3), (10, 0.3, 3)])
def test_it_takes_two_different_responses(n: int, share: float, needed: int) -> None:
    assert holders_needed(n, share) == needed


def test_a_response_that_repeats_itself_is_one_response() -> None:
    assert anchor_share(split(["a b c d e a b c d e", "p q r s t u"])) == 0.0


words = st.lists(st.lists(st.sampled_from("abc"), max_size=14), min_size=2, max_size=5)


@given(words, st.integers(1, 4), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_every_word_as_a_search_through_all_runs_finds_it(responses: list[list[str]], least: int, share: float) -> None:
    needed = holders_needed(len(responses), share)
    flags = [each.tolist() for each in anchored_words(responses, least, share)]
    assert flags == brute(responses, least, needed)


@given(words, st.integers(1, 4), st.sampled_from([0.3, 0.5, 1.0]))
def test_the_spans_hold_the_words_and_are_held_by_whom_they_say(
    responses: list[list[str]], least: int, share: float
) -> None:
    spans = anchor_spans(responses, least, share)
    assert len({span.words for span in spans}) == len(spans)
    covered = [np.zeros(len(response), bool) for response in responses]
    for span in spans:
        size = len(span.words)
        assert size >= least
        assert len(span.holders) >= holders_needed(len(responses), share)
        holders = []
        for i, response in enumerate(responses):
            starts = [at for at in range(len(response)) if tuple(response[at : at + size]) == span.words]
            holders += [i] if starts else []
            for at in starts:
                covered[i][at : at + size] = True
        assert span.holders == tuple(holders)
    assert [c.tolist() for c in covered] == [f.tolist() for f in anchored_words(responses, least, share)]


def test_a_longer_run_of_fewer_stands_beside_the_shorter_of_more() -> None:
    spans = anchor_spans(split(["a b c d e f", "a b c d e f", "a b c d e g", "a b c d e h"]))
    assert [(" ".join(span.words), span.holders) for span in spans] == [
        ("a b c d e", (0, 1, 2, 3)),
        ("a b c d e f", (0, 1)),
    ]


def test_copies_are_one_span() -> None:
    text = " ".join(f"w{i}" for i in range(400))
    assert [len(span.words) for span in anchor_spans(split([text] * 30))] == [400]


def test_a_growing_set_and_a_counted_one_agree() -> None:
    texts = {0: "A b, c d E x", 1: "", 2: "a b c d e y!", 3: "z A B C D E"}
    growing = AnchorShare()
    for sample, text in texts.items():
        if text:
            growing.add(Response(sample, text))
    lexicon = Lexicon(WORKBENCH, str)
    (cell,) = counted_cells([Documents.of(texts, lexicon)], lexicon, ["anchor_share"])
    assert cell.within()["anchor_share"].value == pytest.approx(5 / 6)
    assert growing.value() == cell.within()["anchor_share"]


def test_too_little_is_null_with_a_reason() -> None:
    growing = AnchorShare()
    growing.add(Response(0, "alone"))
    assert growing.value().reason == "needs 2 samples, has 1"
    assert anchor_share([["a"]]) is None
    assert anchor_share([[], []]) is None
    assert anchor_spans([]) == ()
    assert anchored_words([]) == []
