from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from alignbench.tui.text import cells, cut, fitted, one_line, padded
from alignbench.tui.wrap import WrappedText

TEXTS = st.text(st.sampled_from("ab  \n漢é\u0301\u26a0\ufe0f1\u20e3\u2764👨👩\u200d🇩🇪xyz"), max_size=80)


def lines(text: WrappedText) -> list[str]:
    return [text[i] for i in range(len(text))]


def test_breaks_at_spaces_and_cuts_long_words() -> None:
    assert lines(WrappedText(10, "the quick brown fox")) == ["the quick", "brown fox"]
    assert lines(WrappedText(4, "abcdefghij k")) == ["abcd", "efgh", "ij k"]
    assert lines(WrappedText(5, "one\n\n  two")) == ["one", "", "  two"]
    assert lines(WrappedText(4, "漢字かな")) == ["漢字", "かな"]
    assert lines(WrappedText(4)) == [""]


@given(st.lists(TEXTS, max_size=8), st.integers(1, 12))
@example(["1 \u200d1111", "1"], 2)
def test_text_that_arrives_in_pieces_wraps_like_the_whole(pieces: list[str], width: int) -> None:
    grown = WrappedText(width)
    for piece in pieces:
        grown.append(piece)
    assert lines(grown) == lines(WrappedText(width, "".join(pieces)))


@given(TEXTS, st.integers(2, 12))
def test_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    wrapped = lines(WrappedText(width, text))
    assert all(cell_len(line) <= width for line in wrapped)
    assert "".join(wrapped).replace(" ", "") == text.replace(" ", "").replace("\n", "")


WIDE = "⚠️ one ❤️ two 1️⃣ three ☑️ four ✍️ five 日本 six e\u0301"


def test_no_word_is_lost_beside_an_emoji() -> None:
    for width in range(6, 40):
        wrapped = lines(WrappedText(width, WIDE))
        assert max(map(cell_len, wrapped)) <= width
        assert " ".join(wrapped).split() == WIDE.split()


@given(TEXTS, st.integers(0, 20))
def test_what_is_cut_or_padded_fits(text: str, width: int) -> None:
    assert cells(fitted(text, width)) == width
    assert cells(one_line(text, max(1, width))) <= max(1, width)
    assert cells(cut(one_line(text), width)) <= width
    assert cells(padded(one_line(text), width)) == max(width, cells(one_line(text)))
