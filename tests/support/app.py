"""What the app's tests share: an app on a fake pool and a real database, and a way to wait for a condition."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widget import Widget

from alignbench.spec import Context, Hint
from alignbench.store import SampleRow, Store
from alignbench.tui.app import BenchApp
from alignbench.tui.bench.columns import ColumnsView
from alignbench.tui.bench.sample_list import SampleList
from alignbench.tui.bench.screen import BenchScreen
from alignbench.tui.start import first_models
from alignbench.tui.workbench.column import Column
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.waiting import LIMIT

WIDE, SMALL = (120, 36), (80, 24)
ALIGNED, BASE = first_models()


async def until(pilot: Pilot[Any], true: Callable[[], object]) -> None:
    """Let the app work until a condition holds. Who waits long looks less often: to look costs what the app needs."""
    end, pause = time.monotonic() + LIMIT, 0.01
    while not true():
        assert time.monotonic() < end, f"the condition did not come true; the screen:\n{screen_text(pilot.app)}"
        await asyncio.sleep(pause)
        await pilot.pause()
        pause = min(1.2 * pause, 0.05)


async def burst(pilot: Pilot[Any], app: BenchApp, *keys: str) -> None:
    """Post keys as the driver does, all before the app handles any, and wait until all are done with."""
    for key in keys:
        name, character = (_character_to_key(key), key) if len(key) == 1 else (key, None)
        app.post_message(events.Key(name, character))
    await pilot.pause()
    await until(pilot, lambda: app.keys.idle)


def hint_second_column(app: BenchApp) -> None:
    """Give the second column a hint that is made of the first sample of the first."""
    bench = app.workbench.bench
    hint = Hint("summary", text="Tea is warm.", condition="demo-aligned", sample=0)
    condition = replace(bench.columns[1].condition, context=Context("plain", hint=hint))
    bench.change(bench.columns[1], Column(condition, 5))
    app.workbench.changed()


async def shows(pilot: Pilot[Any], *words: str) -> None:
    """Wait until all of the words stand on the screen."""

    def there() -> bool:
        seen = screen_text(pilot.app)
        return all(each in seen for each in words)

    await until(pilot, there)


async def still(pilot: Pilot[Any], looks: int = 10) -> None:
    """Wait until the screen has stayed the same for some looks at it."""
    seen: list[str] = []

    def unchanged() -> bool:
        seen.append(screen_text(pilot.app))
        return len(seen) >= looks and len(set(seen[-looks:])) == 1

    await until(pilot, unchanged)


def make_app(db: Path, pool: FakePool | None = None, embed: LetterEmbedder | None = None, **fields: Any) -> BenchApp:
    return BenchApp(db, pool or FakePool(), embed, **fields)


async def ready(pilot: Pilot[Any], app: BenchApp) -> BenchScreen:
    """Wait for the columns."""
    await until(pilot, lambda: app.workbench.bench.columns and len(bench_of(app).query(SampleList)) > 0)
    return bench_of(app)


def bench_of(app: BenchApp) -> BenchScreen:
    assert app.bench_screen is not None
    return app.bench_screen


async def sampled(pilot: Pilot[Any], app: BenchApp) -> None:
    """Press F5 and wait until nothing runs any more."""
    await pilot.press("f5")
    await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
    await pilot.pause()


def screen_text(app: App[Any]) -> str:
    """What the terminal shows, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def heads(app: BenchApp) -> list[str]:
    """What stands in the upper borders of the columns."""
    columns = bench_of(app).query_one(ColumnsView)
    line = screen_text(app).splitlines()[columns.region.y]
    return [part.strip(" ─━╮┓") for part in line.replace("┏", "╭").split("╭")[1:]]


def widget_text(widget: Widget) -> str:
    """What one widget shows."""
    return "\n".join("".join(s.text for s in widget.render_line(y)) for y in range(widget.size.height))


def rows(db: Path) -> list[SampleRow]:
    """Every sample in the database."""
    with Store.open(db) as store:
        return [row for info in store.sessions() for row in store.samples(info.id)]


TEXTS = {
    "demo-aligned": ["Tea is warm and calm.", "Tea keeps people warm.", "Coffee wakes tired people up."],
    "demo-base": ["Rain falls on gardens.", "Xylophones are quiet.", "Tea."],
}


def line_with(app, text: str) -> str:  # type: ignore[no-untyped-def]
    """The first line of the screen that holds a text, its spaces joined; empty where there is none."""
    return next((" ".join(line.split()) for line in screen_text(app).splitlines() if text in line), "")
