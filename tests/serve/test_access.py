"""Who gets a page of the server, and what a page sends to it."""

from __future__ import annotations

import pytest

from alignbench.serve.access import headers, new_token, why_refused
from alignbench.serve.browser_message import MOST, Focused, Ping, Resized, TypedKeys, read_message, read_side

TOKEN = "a-token"
HOST = "127.0.0.1:8642"


def refused(path: str = f"/{TOKEN}/", host: str = HOST, origin: str | None = None, *, websocket: bool = False) -> str:
    return why_refused(TOKEN, path, host, origin, websocket=websocket)


@pytest.mark.parametrize("host", [HOST, "localhost:9000", "LOCALHOST", "127.0.0.1", "[::1]:80"])
def test_names_of_this_machine_with_the_port_of_any_tunnel(host: str) -> None:
    assert not refused(host=host)
    assert not refused(host=host, origin=f"http://{host}", websocket=True)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:", "127.0.0.1@evil", "0.0.0.0:80"]
)
def test_other_names_are_refused(host: str) -> None:
    assert "127.0.0.1" in refused(host=host)


@pytest.mark.parametrize(
    "path", ["", "/", "//", f"/{TOKEN}x/", "/a-toke/", "/static/js/textual.js", f"/x/{TOKEN}/", "/A-TOKEN/", "/é/"]
)
def test_without_the_token_there_is_nothing(path: str) -> None:
    assert "token" in refused(path)


def test_another_origin_is_refused() -> None:
    for origin in ("http://evil.example", "https://127.0.0.1:8642", "http://127.0.0.1:8643", "null", ""):
        assert refused(origin=origin, websocket=True) == refused(origin=origin) == "Another page has asked for this."
    assert "where it comes from" in refused(websocket=True)


def test_tokens_are_long_and_never_the_same() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 43


def test_a_page_may_load_from_here_alone() -> None:
    policy = headers(HOST)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"connect-src ws://{HOST};" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    assert headers(HOST)["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["stdin", "a\\u001b[15~"]', TypedKeys("a\x1b[15~")),
        ('["resize", {"width": 120, "height": 36}]', Resized(120, 36)),
        ('["resize", {"width": 0, "height": 99999999}]', Resized(1, MOST)),
        ('["focus"]', Focused(True)),
        ('["blur"]', Focused(False)),
        ('["ping", "17"]', Ping("17")),
        ('["stdin"]', None),
        ('["stdin", 3]', None),
        ('["resize", {"width": 1e400, "height": 1}]', None),
        ("[" * 5000, None),
        ("", None),
        ("{}", None),
    ],
)
def test_messages(text: str, message: object) -> None:
    assert read_message(text) == message


def test_sides() -> None:
    assert [read_side(text, 80) for text in ("120", "", "-3", "0", "٣", "99999999")] == [120, 80, 80, 1, 80, 80]
