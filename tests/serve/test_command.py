"""`alignbench serve` with the real app behind a page."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.commands import alignbench
from tests.support.waiting import LIMIT, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "alignbench", "serve", "--port", "0", "--db", str(tmp_path / "x.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    yield process
    process.kill()
    process.communicate()


def apps(pid: int) -> list[int]:
    """Processes that the server has begun."""
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


async def seen(page: aiohttp.ClientWebSocketResponse, words: str) -> None:
    """Wait until the app has drawn some words."""
    drawn = ""
    async with asyncio.timeout(LIMIT):
        while words not in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", drawn):
            drawn += (await page.receive_bytes()).decode("utf-8", "replace")


@pytest.mark.linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_the_app_is_on_the_page_and_ends_with_the_server(
    server: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert server.stdout is not None
    address = (await asyncio.to_thread(server.stdout.readline)).strip()
    base = re.match(r"http://127\.0\.0\.1:\d+", address)
    assert base is not None
    async with aiohttp.ClientSession() as session:
        page = await session.ws_connect(f"{address}ws?width=100&height=30", origin=base[0])
        await seen(page, "Why do people keep diaries?")
        await page.send_json(["stdin", "\x1bOP"])
        await seen(page, "cancel sampling")
        (app,) = apps(server.pid)
        server.send_signal(number)
        await asyncio.to_thread(wait_until, lambda: not os.path.exists(f"/proc/{app}"))
    _, said = await asyncio.to_thread(server.communicate)
    if number is not signal.SIGKILL:
        assert server.returncode == 128 + number
        words = "interrupted" if number is signal.SIGINT else "ended by SIGTERM"
        assert said.splitlines()[-1] == f"alignbench: {words}"


def test_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignbench.extras.find_spec", lambda _: None)
    ran = alignbench("serve")
    assert ran.returncode == 2
    assert "'alignbench[serve]'" in ran.stderr


def test_a_port_that_is_none() -> None:
    ran = alignbench("serve", "--port", "70000")
    assert ran.returncode == 2
    assert "65,535" in ran.stderr
