"""Where bits are: planted ones, in texts whose tokens are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.gap_parts import OPENING_TOKENS, TextParts, format_tokens, text_parts
from alignbench.metrics.likelihood import TokenLogprobs, alignment_gap
from alignbench.metrics.stretches import token_ends

PROSE = ("Well", ",", " I", " think", " that", " tea", " is", " good")
LIST = ("Sure", ":", "\n\n", "1", ".", " **", "Tea", "**", ":", " hot", "\n", "2", ".", " Milk", "\n", "-", " a", "-b")


def read(pieces: tuple[str, ...], probabilities: list[float], end: float | None = None) -> TokenLogprobs:
    """Of a model that says these tokens, and the end after them, so readily."""
    n = len(pieces)
    return TokenLogprobs(
        np.arange(n, dtype=np.int32),
        np.log(np.float32(probabilities)),
        np.ones(n, np.int32),
        None if end is None else math.log(end),
        np.array(token_ends("".join(pieces), pieces), np.int32),
    )


def formatted(*pieces: str) -> list[str]:
    text = "".join(pieces)
    return list(itertools.compress(pieces, format_tokens(text, token_ends(text, pieces))))


def test_each_token_is_in_one_part_the_opening_before_the_format() -> None:
    text = "".join(LIST)
    bits = 2.0 ** np.arange(len(LIST))  # each sum tells which tokens it is of
    parts = text_parts(bits, text, token_ends(text, LIST))
    in_format = [
        i for i, piece in enumerate(LIST) if i >= OPENING_TOKENS and piece in (" **", "**", "\n", "2", ".", "-")
    ]
    assert parts == TextParts(
        opening=sum(bits[:OPENING_TOKENS]),
        format=sum(bits[in_format]),
        rest=sum(bits[[i for i in range(OPENING_TOKENS, len(LIST)) if i not in in_format]]),
    )


@pytest.mark.parametrize(
    ("pieces", "marks"),
    [
        (("- ", "tea", "\n", "*", " milk", "\n", "•", " juice"), ["- ", "\n", "*", "\n", "•"]),
        (("1", ")", " tea", "\n", "2", ")", " milk"), ["1", ")", "\n", "2", ")"]),
        (("##", " Tea", " #", "1"), ["##"]),
        (("**", "Tea", ":**", " hot"), ["**"]),  # a mark together with anything else is no format
        (("a", " -", " well", "-", "known", " 1", ".", " "), [" "]),  # no line begins there
        (("7", ".", " tea", "\n", "19", ".", " milk"), ["\n"]),  # no list counts so
        (("tea", "\n", "-"), ["\n"]),  # of nothing
        (("tea", " \t", "\n\n", "\u00a0", "."), [" \t", "\n\n", "\u00a0"]),
    ],
)
def test_what_is_format(pieces: tuple[str, ...], marks: list[str]) -> None:
    assert formatted(*pieces) == marks


def test_tokens_within_a_character_go_with_the_whole_of_it() -> None:
    text, pieces = "tea\n• a😀", ("tea", "\n", "�", "�", " ", "a", "�", "�", "�")
    ends = token_ends(text, pieces)
    assert ends == [3, 4, 5, 5, 6, 7, 8, 8, 8]
    assert format_tokens(text, ends).tolist() == [False, True, True, True, True, False, False, False, False]
    assert text_parts(np.ones(9), text, ends) == TextParts(opening=5.0, format=0.0, rest=4.0)


def test_a_short_response_is_all_opening_and_an_empty_one_nothing() -> None:
    assert text_parts([1.0, 2.0], "a\n", [1, 2]) == TextParts(3.0, 0.0, 0.0)
    assert text_parts([], "", []) == TextParts(0.0, 0.0, 0.0)


def test_models_that_differ_in_the_end_alone_have_all_of_the_gap_there() -> None:
    probabilities = [0.25] * len(PROSE)
    gap = alignment_gap(read(PROSE, probabilities, 1 / 32), read(PROSE, probabilities, 1 / 2), "".join(PROSE))
    assert gap is not None
    assert gap.parts == TextParts(0.0, 0.0, 0.0)
    assert gap.end == gap.bits == pytest.approx(4.0)


def test_equal_differences_are_spread_like_the_tokens() -> None:
    n = len(LIST)
    gap = alignment_gap(read(LIST, [1 / 8] * n, 1 / 8), read(LIST, [1 / 4] * n, 1 / 4), "".join(LIST))
    assert gap is not None
    assert gap.parts is not None
    assert gap.end is not None
    assert (gap.parts.opening, gap.parts.format, gap.end, gap.parts.rest) == pytest.approx((OPENING_TOKENS, 7, 1, 6))
    assert gap.parts.opening + gap.parts.format + gap.end + gap.parts.rest == pytest.approx(gap.bits, abs=1e-12)


def test_there_are_no_parts_where_tokens_differ_or_it_is_not_known_where_they_end() -> None:
    text, probabilities = "".join(PROSE), [0.25] * len(PROSE)
    whole = read(PROSE, probabilities)
    nowhere = TokenLogprobs(whole.ids, whole.logprob, whole.rank)
    other = TokenLogprobs(whole.ids + 1, whole.logprob, whole.rank, token_ends=whole.token_ends)
    for base, teacher in ((whole, nowhere), (nowhere, whole)):
        gap = alignment_gap(base, teacher, text)
        assert gap is not None
        assert gap.parts is not None
    for base, teacher in ((nowhere, nowhere), (other, whole)):
        gap = alignment_gap(base, teacher, text)
        assert gap is not None
        assert gap.parts is None


@given(st.text("a1.)-*#• \n\té😀"), st.data())
def test_the_parts_add_up_to_all_bits_exactly(text: str, data: st.DataObject) -> None:
    ends = sorted(
        {*data.draw(st.lists(st.integers(1, max(1, len(text))), max_size=20)), len(text)} - {0} if text else ()
    )
    ends = [end for end in ends if end <= len(text)]
    bits = data.draw(st.lists(st.integers(-64, 64), min_size=len(ends), max_size=len(ends)))
    parts = text_parts([each / 8 for each in bits], text, ends)
    assert parts.opening + parts.format + parts.rest == sum(bits) / 8
    of_format = format_tokens(text, ends)
    for start, end, marked in zip([0, *ends], ends, of_format, strict=False):
        assert not (marked and any(c.isalpha() for c in text[start:end]))
        assert marked or text[start:end].strip()
