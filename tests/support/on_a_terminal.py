"""The app on a real terminal within its own process: what is written there goes through the driver's own parser.

A terminal belongs to a process, so a test runs `python -c` with a script that calls `run`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
import threading
import time
from collections.abc import Awaitable, Callable

from textual.events import Event, Key, Paste

from alignbench.tui.app import BenchApp
from tests.support.waiting import LIMIT

KEYS = {
    "down": b"\x1b[B",
    "enter": b"\r",
    "escape": b"\x1b",
    "f1": b"\x1bOP",
    "f2": b"\x1bOQ",
    "f3": b"\x1bOR",
    "f4": b"\x1bOS",
    "f5": b"\x1b[15~",
    "f6": b"\x1b[17~",
    "f7": b"\x1b[18~",
    "f8": b"\x1b[19~",
    "f9": b"\x1b[20~",
    "f10": b"\x1b[21~",
    "right": b"\x1b[C",
    "slash": b"/",
    "space": b" ",
}  # as xterm sends them


def typed(*keys: str) -> bytes:
    """What a terminal sends for keys."""
    return b"".join(KEYS.get(key, key.encode()) for key in keys)


def pasted(text: str) -> bytes:
    """What a terminal sends for a paste, in brackets."""
    return b"\x1b[200~" + text.encode() + b"\x1b[201~"


def terminal_of(columns: int, rows: int) -> tuple[int, int]:
    """A new terminal of this size: its two ends, what reads and types, and what an app is given."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return master, slave


class Typist:
    """Types on the terminal of an app that runs in this process."""

    def __init__(self, app: BenchApp, master: int) -> None:
        self.app = app
        self._master = master

    async def types(self, burst: bytes, events: int) -> None:
        """Write it at once, and wait until the app is done with all of it. events: keys and pastes in it."""
        came: list[Event] = []
        takes = self.app.keys.takes

        def noted(event: Event) -> bool:
            if isinstance(event, Key | Paste) and not event.is_forwarded and event not in came:
                came.append(event)
            return takes(event)

        self.app.keys.takes = noted  # type: ignore[method-assign]
        assert os.write(self._master, burst) == len(burst)
        await self.until(lambda: len(came) >= events, f"{events} keys and pastes from {burst!r}")
        await self.settled()
        self.app.keys.takes = takes  # type: ignore[method-assign]
        assert len(came) == events, (came, burst)

    async def settled(self) -> None:
        """Wait until the app is done with what came."""
        passed = asyncio.Event()
        self.app.call_later(passed.set)
        await passed.wait()
        await self.until(lambda: self.app.keys.idle, "the keys are done with")

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Let the app work until a condition holds."""
        end = time.monotonic() + LIMIT
        while not true():
            assert time.monotonic() < end, what
            await asyncio.sleep(0.01)


Drive = Callable[[BenchApp, Typist], Awaitable[None]]


def run(app: BenchApp, drive: Drive, size: tuple[int, int] = (80, 24)) -> None:
    """Run the app on a terminal, driven through it, and end it. What went wrong is told where stderr was."""
    master, slave = terminal_of(*size)
    before = [os.dup(descriptor) for descriptor in range(3)]
    for descriptor in range(3):
        os.dup2(slave, descriptor)
    threading.Thread(target=_read_all, args=(master,), daemon=True).start()
    try:
        asyncio.run(_driven(app, drive, Typist(app, master)))
    finally:
        for descriptor, own in enumerate(before):
            os.dup2(own, descriptor)


async def _driven(app: BenchApp, drive: Drive, typist: Typist) -> None:
    runs = asyncio.create_task(app.run_async())
    try:
        await drive(app, typist)
    finally:
        app.exit()
        await runs


def _read_all(master: int) -> None:
    while os.read(master, 1 << 16):
        pass
