from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import get_character_cell_size

from alignbench.tui.wrap import WrappedText

TEXTS = st.text(st.sampled_from("ab  \n漢é\u0301xyz"), max_size=80)


def lines(text: WrappedText) -> list[str]:
    return [text[i] for i in range(len(text))]


def test_breaks_at_spaces_and_cuts_long_words() -> None:
    assert lines(WrappedText(10, "the quick brown fox")) == ["the quick", "brown fox"]
    assert lines(WrappedText(4, "abcdefghij k")) == ["abcd", "efgh", "ij k"]
    assert lines(WrappedText(5, "one\n\n  two")) == ["one", "", "  two"]
    assert lines(WrappedText(4, "漢字かな")) == ["漢字", "かな"]
    assert lines(WrappedText(4)) == [""]


@given(st.lists(TEXTS, max_size=8), st.integers(1, 12))
def test_text_that_arrives_in_pieces_wraps_like_the_whole(pieces: list[str], width: int) -> None:
    grown = WrappedText(width)
    for piece in pieces:
        grown.append(piece)
    assert lines(grown) == lines(WrappedText(width, "".join(pieces)))


@given(TEXTS, st.integers(2, 12))
def test_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    wrapped = lines(WrappedText(width, text))
    assert all(sum(map(get_character_cell_size, line)) <= width for line in wrapped)
    assert "".join(wrapped).replace(" ", "") == text.replace(" ", "").replace("\n", "")
