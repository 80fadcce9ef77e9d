"""The pilot looks for an idle app more often than Textual lets it: a test presses hundreds of keys."""

from __future__ import annotations

import asyncio
import time

import pytest
from textual import _wait
from textual.pilot import Pilot

from alignbench.tui.app import BenchApp
from alignbench.tui.ordered_app import OrderedApp
from tests.support.waiting import LIMIT

MOST = 1.0  # seconds for a key that waits for what the test does next


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every 10 ms whether the process works; idle is under a tenth of that."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.01)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.001)


@pytest.fixture(autouse=True)
def keys_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a pilot wait until the app is done with what it pressed: keys wait in a queue of the app's."""
    press = Pilot.press

    async def press_and_wait(pilot: Pilot[object], *keys: str) -> None:
        await press(pilot, *keys)
        app, end = pilot.app, time.monotonic() + MOST
        if not isinstance(app, OrderedApp) or app.keys.idle:
            return
        while not app.keys.idle and app.is_running and time.monotonic() < end:
            await asyncio.sleep(0.002)
        await pilot.pause()

    monkeypatch.setattr(Pilot, "press", press_and_wait)


@pytest.fixture
def toasts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toasts are there until a test has seen them, however slow the machine is."""
    monkeypatch.setattr(BenchApp, "NOTIFICATION_TIMEOUT", LIMIT)
