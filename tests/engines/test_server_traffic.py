"""What is told of requests to servers: without secrets, and nothing where nobody listens."""

from __future__ import annotations

import json
from asyncio import CancelledError
from collections.abc import Generator, Iterator

import pytest

from alignbench.engines import server_traffic
from alignbench.engines.server_traffic import Answered, Sent, Traffic


@pytest.fixture
def told() -> Iterator[list[Traffic]]:
    heard: list[Traffic] = []
    server_traffic.listen(heard.append)
    yield heard
    server_traffic.listen(None)


def test_a_request_is_told_before_its_answer(told: list[Traffic]) -> None:
    with server_traffic.request("POST", "http://h/v1/completions", {"prompt": "é", "n": 2}) as answered:
        (sent,) = told
        answered(200)
    assert isinstance(sent, Sent)
    assert (sent.method, sent.url, json.loads(sent.body)) == (
        "POST",
        "http://h/v1/completions",
        {"prompt": "é", "n": 2},
    )
    _, end = told
    assert isinstance(end, Answered)
    assert (end.process, end.number, end.status, end.problem) == (sent.process, sent.number, 200, "")
    assert end.head is not None
    assert 0 <= end.head <= end.seconds


def test_secrets_are_masked(told: list[Traffic], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    body = {"prompt": "my sk-0123456789", "max_tokens": 3, "tools": [{"api_key": "hush"}], "x": {"password": "hush"}}
    with (
        pytest.raises(ValueError, match="no"),
        server_traffic.request("POST", "http://me:hush@h/v1?token=hush&a=1", body),
    ):
        raise ValueError("no sk-0123456789")
    sent, end = told
    assert isinstance(sent, Sent)
    assert isinstance(end, Answered)
    everything = f"{sent.url} {sent.body} {end.problem}"
    assert "hush" not in everything
    assert "0123456789" not in everything
    assert json.loads(sent.body)["max_tokens"] == 3
    assert (end.status, end.head, end.problem) == (None, None, "ValueError: no ***")


def test_an_answer_that_is_left_is_told_too(told: list[Traffic]) -> None:
    with pytest.raises(CancelledError), server_traffic.request("GET", "http://h", None):
        raise CancelledError
    sent, end = told
    assert isinstance(sent, Sent)
    assert sent.body == ""
    assert isinstance(end, Answered)
    assert end.problem == "left before its end"


def test_nothing_is_made_where_nobody_listens() -> None:
    class Unread(dict[str, object]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError

    with server_traffic.request("POST", "http://h", Unread()) as answered:
        answered(200)


def test_a_stream_that_is_closed_after_its_end_has_no_problem(told: list[Traffic]) -> None:
    def stream() -> Generator[int, None, None]:
        with server_traffic.request("POST", "http://h", {}) as answered:
            answered(200)
            yield 1

    events = stream()
    next(events)
    events.close()
    end = told[-1]
    assert isinstance(end, Answered)
    assert (end.status, end.problem) == (200, "")
