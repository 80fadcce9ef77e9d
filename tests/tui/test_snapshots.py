"""What the screens look like. After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from alignbench.tui.app import BenchApp
from alignbench.tui.bench.recovery_band import RecoveryBand
from alignbench.tui.workbench.cell import BenchCell
from tests.support.app import SMALL, WIDE, heads, make_app, ready, sampled, screen_text, still, until
from tests.support.fakes import FakePool, LetterEmbedder, ScoringPool

TEXTS = {
    "demo-aligned": [
        "People keep diaries for many reasons. Writing a page a day helps them to see what they think, and a day that "
        "is written down does not vanish. Some keep one to remember, some to forget.",
        "A diary is a place where nobody interrupts. It is also a record of small things: the weather, a phrase that "
        "somebody said, the price of bread.",
        "1. To remember.\n2. To think on paper.\n3. To practise writing.\n4. To have somebody to talk to.",
    ],
    "demo-base": [
        "The diary is a place where I can write what I want.",
        "Question: Why do people keep diaries?\nAnswer: [INST] see above [/INST]",
        "because",
    ],
}
Prepare = Callable[[Pilot[Any], BenchApp], Awaitable[None]]


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("alignbench.store.sessions.now", lambda: "2026-01-02T03:04:05+00:00")
    monkeypatch.setattr("alignbench.tui.workbench.controller.Workbench.seconds", 14.0)


def snapshot(
    compare: Any, size: tuple[int, int], prepare: Prepare, *, press: tuple[str, ...] = (), pool: FakePool | None = None
) -> None:
    """Compare the app after `prepare` and some keys with what it looked like before."""
    app = make_app(Path("bench.db"), pool or ScoringPool(texts=TEXTS), LetterEmbedder())

    async def run_before(pilot: Pilot[Any]) -> None:
        await ready(pilot, app)
        await prepare(pilot, app)
        await pilot.press(*press)
        await still(pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        app.clear_notifications()
        await until(pilot, lambda: not app.screen.query("Toast"))

    assert compare(app, terminal_size=size, run_before=run_before)


async def opened(_pilot: Pilot[Any], _app: BenchApp) -> None: ...


async def done(pilot: Pilot[Any], app: BenchApp) -> None:
    await sampled(pilot, app)
    await until(pilot, lambda: "not arrived" not in str(app.workbench.scores()))


@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_opened(snap_compare: Any, size: tuple[int, int]) -> None:
    snapshot(snap_compare, size, opened)


@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_sampled(snap_compare: Any, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[Any], app: BenchApp) -> None:
        await done(pilot, app)
        band = app.screen.query_one(RecoveryBand)
        await until(pilot, lambda: len(band.measures()) == 2 and all(one.floor.value for one in band.measures()))

    snapshot(snap_compare, size, prepare, press=("down",))


def test_loading(snap_compare: Any) -> None:
    async def prepare(_: Pilot[Any], app: BenchApp) -> None:
        bench = app.workbench.bench
        for column, fraction in zip(bench.columns, (0.4, 1.0), strict=True):
            key = (bench.prompt.key, column.hash)
            bench.cells[key] = BenchCell(status="loading" if fraction < 1 else "waiting", fraction=fraction)
        app.workbench.changed()

    snapshot(snap_compare, WIDE, prepare)


def test_a_failed_column(snap_compare: Any) -> None:
    pool = FakePool(texts=TEXTS, fail={"demo-base": "/weights/base.gguf is cut off: 12 MB of 253 MB. Fetch it again."})
    snapshot(snap_compare, SMALL, done, press=("right",), pool=pool)


def test_many_columns(snap_compare: Any) -> None:
    snapshot(snap_compare, WIDE, opened, press=("d", "d", "left"))


@pytest.mark.parametrize(("size", "columns"), [((72, 24), 2), ((110, 30), 3), ((160, 40), 4), ((200, 50), 5)])
def test_as_many_columns_as_have_room(snap_compare: Any, size: tuple[int, int], columns: int) -> None:
    async def prepare(pilot: Pilot[Any], app: BenchApp) -> None:
        await pilot.press("d", "d", "d", "d")
        await done(pilot, app)
        assert len(heads(app)) == columns

    snapshot(snap_compare, size, prepare)


def test_condition_with_errors(snap_compare: Any) -> None:
    snapshot(snap_compare, SMALL, opened, press=("f3", "down", "down", "0", "down", "h", "o", "t", "enter"))


def test_prompts(snap_compare: Any) -> None:
    snapshot(snap_compare, SMALL, opened, press=("f2", "down"))


def test_viewer(snap_compare: Any) -> None:
    snapshot(snap_compare, SMALL, done, press=("enter", "down", "down"))


@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_scores(snap_compare: Any, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[Any], app: BenchApp) -> None:
        await done(pilot, app)
        await pilot.press("f7", "down", "right")
        await until(pilot, lambda: "2, 0" in screen_text(app))

    snapshot(snap_compare, size, prepare)


def test_recovery(snap_compare: Any) -> None:
    async def prepare(pilot: Pilot[Any], app: BenchApp) -> None:
        await done(pilot, app)
        await pilot.press("f7", "2")
        await until(pilot, lambda: "[" in screen_text(app) and "MMD² " in screen_text(app))

    snapshot(snap_compare, WIDE, prepare)


def test_token_shift(snap_compare: Any) -> None:
    async def prepare(pilot: Pilot[Any], app: BenchApp) -> None:
        await done(pilot, app)
        await pilot.press("enter", "4")
        await until(pilot, lambda: "rank 1: unshifted" in screen_text(app))

    snapshot(snap_compare, SMALL, prepare, press=("right", "right"))


def test_sessions(snap_compare: Any) -> None:
    snapshot(snap_compare, WIDE, done, press=("f8",))


def test_help(snap_compare: Any) -> None:
    snapshot(snap_compare, SMALL, opened, press=("f1",))
