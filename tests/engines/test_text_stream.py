"""Stop strings and multi-byte characters across token borders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alignbench.engines.text_stream import TextStream


def feed(stream: TextStream, pieces: list[bytes]) -> list[str]:
    shown = []
    for piece in pieces:
        shown.append(stream.feed(piece))
        if stream.stopped:
            break
    return shown


def test_a_stop_across_three_tokens_is_never_shown() -> None:
    stream = TextStream(["```"])
    assert feed(stream, [b"One.\n`", b"`", b"` and more"]) == ["One.\n", "", ""]
    assert stream.stopped
    assert stream.text == "One.\n"
    assert stream.raw_text == "One.\n``` and more"


def test_stops_that_are_passed_over_are_shown() -> None:
    text = "hint\n```\n\n# Answer:\n```\nanswer\n```\nmore"
    for size in range(1, 12):
        stream = TextStream(["```", "###"], passes=2)
        pieces = [text[at : at + size].encode() for at in range(0, len(text), size)]
        feed(stream, pieces)
        assert stream.stopped
        assert stream.text == "hint\n```\n\n# Answer:\n```\nanswer\n"
    other = TextStream(["```", "###"], passes=2)
    feed(other, [b"a```b###c```"])
    assert other.text == "a```b"
    fence = TextStream(["```"], passes=1)
    feed(fence, [b"````", b"``"])
    assert fence.text == "```"


def test_a_half_stop_that_was_none_is_given_back() -> None:
    stream = TextStream(["```"])
    assert feed(stream, [b"a `", b"b` c"]) == ["a ", "`b` c"]
    assert not stream.stopped


def test_what_is_held_back_comes_at_the_end() -> None:
    stream = TextStream(["STOP"])
    assert feed(stream, [b"go STO"]) == ["go "]
    assert stream.finish() == "STO"
    assert stream.text == stream.raw_text == "go STO"


def test_the_earliest_stop_counts() -> None:
    stream = TextStream(["END", "\n\n"])
    feed(stream, [b"one\n", b"\nEND"])
    assert stream.text == "one"


def test_a_stop_at_the_very_first_token() -> None:
    stream = TextStream(["```"])
    assert feed(stream, [b"```"]) == [""]
    assert stream.stopped
    assert stream.text == ""


def test_half_a_character_waits_for_the_rest() -> None:
    stream = TextStream([])
    euro = "€".encode()
    assert feed(stream, [b"5 " + euro[:1], euro[1:2], euro[2:] + b"!"]) == ["5 ", "", "€!"]


def test_a_character_that_never_ends_is_marked() -> None:
    stream = TextStream([])
    stream.feed("é".encode()[:1])
    assert stream.finish() == "\ufffd"


@given(
    st.text(max_size=60),
    st.lists(st.integers(min_value=1, max_value=4), max_size=60),
    st.sampled_from(["ab", "```", "é"]),
)
def test_any_cutting_into_tokens_gives_the_same(text: str, sizes: list[int], stop: str) -> None:
    data, pieces = text.encode("utf-8", "replace"), []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    pieces.append(data)
    stream = TextStream([stop])
    shown = "".join(feed(stream, pieces)) + stream.finish()
    clean = text.encode("utf-8", "replace").decode()
    assert shown == stream.text == clean.split(stop)[0]
    assert stream.raw_text.startswith(shown)
