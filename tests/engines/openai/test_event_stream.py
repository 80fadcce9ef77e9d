"""Server-sent events, as servers write them and as they are cut on their way."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.engines.openai import event_stream
from alignbench.engines.openai.event_stream import ServerEvent, begins_as_events, server_sent
from alignbench.engines.openai.server_error import ServerError


def read(*chunks: bytes) -> list[ServerEvent]:
    async def given() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def events() -> list[ServerEvent]:
        return [event async for event in server_sent(given())]

    return asyncio.run(events())


def by_the_rules(stream: bytes) -> list[str]:
    """The data of the events, all of the stream at hand; blank ones are not given."""
    lines = re.split("\r\n|\n|\r", stream.decode("utf-8-sig", "replace"))
    found, data = [], []
    for line in [*lines, ""]:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line:
            found.append("\n".join(data))
            data = []
    return [text for text in found if text.strip()]


LINES = st.sampled_from(
    ["data: a", "data:b", "data", "data: é日🙂", "event: x", ": note", "id: 1", "dat", "data:  \u2028", ""]
)


@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"]))), st.booleans(), st.data())
def test_events_do_not_depend_on_the_chunks(
    lines: list[tuple[str, str]], begins_with_bom: bool, data: st.DataObject
) -> None:
    raw = "".join(("\ufeff" if begins_with_bom else "", *itertools.chain(*lines))).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in itertools.pairwise([0, *cuts, len(raw)])]
    assert [event.data for event in read(*pieces)] == [event.data for event in read(raw)] == by_the_rules(raw)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data:\n\ndata: \n\ndata: a\n\n", [ServerEvent("a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [ServerEvent("a")]),
        (b"data: a\ndata: b\n\n", [ServerEvent("a\nb")]),
        (b"event: error\r\ndata: x\r\n\r\ndata: y\r\n\r\n", [ServerEvent("x", "error"), ServerEvent("y")]),
        (b": ping\n\nretry: 3\nid: 4\n\ndata: a", [ServerEvent("a")]),
        (b'\n {"a":\n\n1}\n', [ServerEvent('{"a":\n\n1}', whole=True)]),
        (b"", []),
    ],
)
def test_what_counts_as_an_event(stream: bytes, events: list[ServerEvent]) -> None:
    found = read(stream)
    assert [(event.data.strip(), event.kind, event.whole) for event in found] == [
        (event.data.strip(), event.kind, event.whole) for event in events
    ]


def test_an_event_is_given_when_its_blank_line_has_come() -> None:
    async def first() -> ServerEvent:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"data: a\r"
            yield b"\r"
            raise AssertionError("more was read than is needed")

        return await anext(server_sent(chunks()))

    assert asyncio.run(first()).data == "a"


@pytest.mark.parametrize(
    "stream", [b"data: " + b"x" * 99, b"data: x\n" * 20, b'{"a": "' + b"x" * 99, b": " + b"x" * 99]
)
def test_an_event_that_never_ends_is_refused(stream: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MOST_BYTES", 50)
    with pytest.raises(ServerError, match="streamed an event of over"):
        read(*[stream[at : at + 10] for at in range(0, len(stream), 10)])
    assert len(read(*[b"data: a\n\n"] * 30)) == 30


@pytest.mark.parametrize(
    ("event", "idle"),
    [
        (ServerEvent("ping"), True),
        (ServerEvent(": keep-alive"), True),
        (ServerEvent("null"), True),
        (ServerEvent("1700000000", "heartbeat"), True),
        (ServerEvent("{}", "message"), False),
        (ServerEvent("out of memory", "error"), False),
        (ServerEvent('{"choices": []}', "completion"), False),
    ],
)
def test_events_that_keep_a_connection_alive(event: ServerEvent, idle: bool) -> None:
    assert event.is_idle == idle


def test_a_stream_is_known_by_its_beginning() -> None:
    for body in (b"data: {}", b"\xef\xbb\xbf\ndata:{}", b": ping\n", b"event: error\n", b"data\n\n"):
        assert begins_as_events(body)
    for body in (b'{"data": 1}', b"<html>", b"", b"datum: 1"):
        assert not begins_as_events(body)
