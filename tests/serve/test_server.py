"""The server on real sockets: what it hands out and to whom, and that an app ends with its page."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from alignbench.errors import InputError
from alignbench.serve import app_process
from alignbench.serve.server import listening, web_application
from tests.support.waiting import LIMIT

TOKEN = "a-token"
OUTSIDE = re.compile(rb"""(?:src|href|url|@import)\s*[=(]?\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)

# What Textual's driver for the web does: a line, packets out, packets in, an end when it is told so.
APP = """
import os, sys
def packet(kind, payload): os.write(1, kind + len(payload).to_bytes(4, "big") + payload)
open(sys.argv[1] + "/" + str(os.getpid()), "w").close()
os.write(1, b"noise\\n__GANGLION__\\n")
packet(b"D", os.environ["COLUMNS"].encode() + b"x" + os.environ["ROWS"].encode())
while True:
    head = sys.stdin.buffer.read(5)
    if not head: break
    body = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if b"quit" in body and sys.argv[2] == "deaf": continue
    if b"quit" in body or body == b"q": break
    packet(b"D", head[:1] + body)
if sys.argv[2] == "deaf":
    import time
    time.sleep(600)
packet(b"M", b'{"type": "exit"}')
"""


@asynccontextmanager
async def served(folder: Path, how: str = "good") -> AsyncIterator[tuple[str, web.AppRunner]]:
    """The address of a server, whose apps leave a file each that is called as their process."""
    at = listening(0)
    runner = web.AppRunner(web_application([sys.executable, "-c", APP, str(folder), how], TOKEN), access_log=None)
    await runner.setup()
    await web.SockSite(runner, at).start()
    try:
        yield f"http://127.0.0.1:{at.getsockname()[1]}", runner
    finally:
        await runner.cleanup()


def running(folder: Path) -> list[int]:
    """The apps that were begun and have not ended."""
    alive = []
    for pid in map(int, os.listdir(folder)):
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            alive.append(pid)
    return alive


async def until(folder: Path, n: int) -> None:
    async with asyncio.timeout(LIMIT):
        while len(running(folder)) != n:
            await asyncio.sleep(0.02)


def opened(session: aiohttp.ClientSession, base: str, token: str = TOKEN, origin: str | None = None) -> Any:
    return session.ws_connect(f"{base}/{token}/ws?width=100&height=30", origin=base if origin is None else origin)


async def test_what_is_handed_out_and_to_whom(tmp_path: Path) -> None:
    async with served(tmp_path) as (base, _), aiohttp.ClientSession() as session:
        page = await session.get(f"{base}/{TOKEN}/")
        text = await page.read()
        assert page.status == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert not OUTSIDE.search(text)
        named = re.findall(rb'(?:src|href)="([^"]+)"', text)
        assert len(named) >= 6
        for asset in (name.decode() for name in named if not name.startswith(b"data:")):
            answer = await session.get(f"{base}/{TOKEN}/{asset}")
            assert answer.status == 200, asset
            if asset.endswith(".css"):
                assert not OUTSIDE.search(await answer.read()), asset
            assert (await session.get(f"{base}/{asset}")).status == 403
            assert (await session.get(f"{base}/wrong/{asset}")).status == 403
        for path in ("/", "/wrong/", "/favicon.ico", f"/{TOKEN}"):
            assert (await session.get(base + path)).status in (403, 404)
        assert (await session.get(f"{base}/{TOKEN}/static/")).status == 403, "no list of files"
        evil = {"Host": "evil.example"}
        assert (await session.get(f"{base}/{TOKEN}/", headers=evil)).status == 403
    assert os.listdir(tmp_path) == [], "no app was begun"


@pytest.mark.parametrize(
    ("token", "origin"), [("wrong", None), (TOKEN, "http://evil.example"), (TOKEN, ""), (TOKEN, "null")]
)
async def test_a_websocket_of_another_page_is_refused(tmp_path: Path, token: str, origin: str | None) -> None:
    async with served(tmp_path) as (base, _), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await opened(session, base, token, origin)
        assert refused.value.status == 403
    assert os.listdir(tmp_path) == []


async def test_pages_have_an_app_each_that_ends_with_them(tmp_path: Path) -> None:
    async with served(tmp_path) as (base, _), aiohttp.ClientSession() as session:
        first, second = await opened(session, base), await opened(session, base)
        for page in (first, second):
            assert (await page.receive_bytes()) == b"100x30"
        assert len(running(tmp_path)) == 2
        await first.send_str("no message")
        await first.send_json(["stdin", "é"])
        assert (await first.receive_bytes()) == b"D" + "é".encode()
        await first.send_json(["ping", "7"])
        assert (await first.receive_json()) == ["pong", "7"]
        await first.send_json(["resize", {"width": 90, "height": 20}])
        assert b'"width": 90' in await first.receive_bytes()
        await first.close()
        await until(tmp_path, 1)
        await second.send_json(["stdin", "q"])  # the app leaves by itself
        assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
        await until(tmp_path, 0)


async def test_an_app_that_does_not_leave_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_process, "GRACE", 0.2)
    async with served(tmp_path, "deaf") as (base, _), aiohttp.ClientSession() as session:
        deaf, stopped = await opened(session, base), await opened(session, base)
        for page in (deaf, stopped):
            await page.receive_bytes()
        os.kill(running(tmp_path)[1], signal.SIGSTOP)
        await deaf.close()
        await stopped.close()
        await until(tmp_path, 0)


async def test_no_app_is_left_when_the_server_ends(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with served(tmp_path) as (base, _):
            pages = [await opened(session, base) for _ in range(2)]
            for page in pages:
                await page.receive_bytes()
            assert len(running(tmp_path)) == 2
        assert running(tmp_path) == []


async def test_a_command_that_is_not_there_closes_the_page() -> None:
    at = listening(0)
    runner = web.AppRunner(web_application(["/no/such/program"], TOKEN), access_log=None)
    await runner.setup()
    await web.SockSite(runner, at).start()
    base = f"http://127.0.0.1:{at.getsockname()[1]}"
    async with aiohttp.ClientSession() as session, await opened(session, base) as page:
        assert (await page.receive()).type is aiohttp.WSMsgType.CLOSE
    await runner.cleanup()


def test_a_port_that_is_taken() -> None:
    with listening(0) as taken, pytest.raises(InputError, match=r"is taken; --port"):
        listening(taken.getsockname()[1])
