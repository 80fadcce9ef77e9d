"""The pilot goes on when the app has nothing left to do, whatever else keeps the processor busy."""

from __future__ import annotations

import asyncio

import pytest
from textual import app, pilot


async def settled(*_: float) -> None:
    """Let the event loop work until nothing is left that could run now. Threads and timers may still bring something:
    what they bring, a test waits for itself."""
    loop = asyncio.get_running_loop()
    for _ in range(2):
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_look_at_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (app, pilot):
        monkeypatch.setattr(module, "wait_for_idle", settled)
