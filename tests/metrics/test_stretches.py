"""Responses cut where the tokens of several readings end together."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.stretches import stretches

BIT = -math.log(2)


def test_tokens_of_one_tokenizer_stay_apart() -> None:
    parts = stretches("ab cd", [(("ab", " c", "d"), [BIT, 2 * BIT, 3 * BIT]), (("ab", " c", "d"), [0, BIT, BIT])])
    assert [(each.text, each.bits) for each in parts] == [("ab", (1, 0)), (" c", (2, 1)), ("d", (3, 1))]


def test_different_tokens_meet_where_both_end() -> None:
    parts = stretches("one two.", [(("one", " two", "."), [BIT, BIT, BIT]), (("o", "ne", " t", "wo."), [BIT] * 4)])
    assert [(each.text, each.bits) for each in parts] == [("one", (1, 2)), (" two.", (2, 2))]


def test_tokens_within_a_character_go_with_the_whole_of_it() -> None:
    parts = stretches("a😀b", [(("a", "�", "�", "b"), [BIT, BIT, 2 * BIT, BIT])])
    assert [(each.text, each.bits[0]) for each in parts] == [("a", 1), ("😀", 3), ("b", 1)]


def test_a_space_that_only_the_first_token_has_is_not_missed() -> None:
    assert [each.text for each in stretches("Tea is", [((" Tea", " is"), [BIT, BIT])])] == ["Tea", " is"]


def test_nothing_of_an_empty_response() -> None:
    assert stretches("", [((), [])]) == ()


@given(st.text(min_size=1), st.lists(st.lists(st.integers(0, 60), max_size=20), min_size=2, max_size=2))
def test_stretches_are_the_text_and_keep_every_bit(text: str, cuts: list[list[int]]) -> None:
    readings = []
    for at in cuts:
        places = sorted({0, *(min(place, len(text)) for place in at), len(text)})
        pieces = [text[a:b] for a, b in itertools.pairwise(places)]
        readings.append((pieces, np.linspace(-3, -1, len(pieces))))
    parts = stretches(text, readings)
    assert "".join(each.text for each in parts) == text
    for i, (_, logprobs) in enumerate(readings):
        assert math.fsum(each.bits[i] for each in parts) == pytest.approx(-logprobs.sum() / math.log(2))
