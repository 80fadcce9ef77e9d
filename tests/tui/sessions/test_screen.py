"""The screen of sessions: found, tagged, merged, compared, written out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, SelectionList

from alignbench.store import Store
from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.base import ConfirmScreen, LineScreen
from alignbench.tui.dialogs.save import SaveScreen
from alignbench.tui.sessions.export_dialog import ExportScreen
from alignbench.tui.sessions.report_screen import ReportScreen
from alignbench.tui.sessions.screen import SessionsScreen
from alignbench.tui.sessions.search_dialog import SearchScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.inputs import PlainInput
from tests.support.app import SMALL, WIDE, bench_of, make_app, ready, screen_text, shows, until
from tests.support.judged import fill
from tests.support.limits import read_only


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sessions that differ in one text; the current folder is empty."""
    path = tmp_path / "x.db"
    with Store.open(path) as store:
        fill(store)
        fill(store, texts={(1, "demo-base", 0): "a \x1b[31m red [/] herring"})
        store.rename_session(2, "second [bold")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    return path


@asynccontextmanager
async def listed(db: Path, size: tuple[int, int] = WIDE) -> AsyncIterator[tuple[Pilot[Any], BenchApp, SessionsScreen]]:
    app = make_app(db)
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 2)
        assert isinstance(app.screen, SessionsScreen)
        yield pilot, app, app.screen


async def answer(pilot: Pilot[Any], app: BenchApp, key: str, text: str) -> None:
    """Press a key that asks for a line, and write it."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, LineScreen))
    app.screen.query_one(PlainInput).value = text
    await pilot.press("enter")


def stored(db: Path, read: Callable[[Store], object]) -> Any:
    with Store.open(db) as store:
        return read(store)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_sample_is_found_in_any_session_and_opened(db: Path, size: tuple[int, int]) -> None:
    async with listed(db, size) as (pilot, app, _):
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        app.screen.query_one(PlainInput).value = "no such thing"
        await until(pilot, lambda: "No sample has these words: Esc clears them." in screen_text(app))
        app.screen.query_one(PlainInput).value = "herring red"
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await shows(pilot, "red [/] herring")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await shows(pilot, "demo-base", "sample 1 of 2", "red [/] herring")
        bench = app.workbench.bench
        assert (bench.session, bench.prompt.id, bench.columns[bench.selected].name) == (2, "q1", "demo-base")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 2)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        app.screen.query_one(PlainInput).value = '"demo-smollm2 says 0 1"'
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen) and app.workbench.bench.prompt.id == "q0")
        await shows(pilot, "demo-smollm2 says 0 1", "sample 2 of 2")
        assert app.workbench.bench.selected == 1


async def test_sessions_are_filtered_by_name_tag_and_model(db: Path) -> None:
    async with listed(db) as (pilot, app, screen):
        stored(db, lambda store: store.tag_session(1, "Pilot study"))
        screen.read()
        await until(pilot, lambda: "#Pilot study" in screen_text(app))
        await pilot.press("f", *"second")
        await until(pilot, lambda: [info.id for info in screen._listed] == [2])
        for words, found in (("#pilot", [1]), ("JUDGED demo-base", [1]), ("demo-smollm2", [2, 1]), ("#judged", [])):
            screen.query_one("#filter", PlainInput).value = words
            await until(pilot, lambda found=found: [info.id for info in screen._listed] == found)
        await shows(pilot, "No session has these words", "Esc clears")
        await pilot.press("escape")
        await until(pilot, lambda: len(screen._listed) == 2)
        await pilot.press("f", *"#study", "enter", "enter")
        await until(pilot, lambda: app.workbench.bench.session == 1)


async def test_the_app_offers_to_continue_the_session_that_was_worked_on_last(db: Path) -> None:
    stored(db, lambda store: store.add_note(1, "worked on"))
    app = make_app(db)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await shows(pilot, "C continues judged  8 samples; F8 has 1 more")
        await app.workbench.rename(1, "the pilot")
        app.workbench.changed()
        await shows(pilot, "C continues the pilot")
        await pilot.press("C")
        await until(pilot, lambda: app.workbench.bench.session == 1)
        await until(pilot, lambda: "C continues" not in screen_text(app))


async def test_tags_and_notes_of_any_session(db: Path) -> None:
    async with listed(db) as (pilot, app, screen):
        await answer(pilot, app, "t", "pilot, to keep")
        await until(pilot, lambda: app.screen is screen and "#pilot" in screen_text(app))
        await answer(pilot, app, "t", "to keep")
        await until(pilot, lambda: app.screen is screen and "#pilot" not in screen_text(app))
        await answer(pilot, app, "t", "")
        await until(pilot, lambda: app.screen is screen and "#to keep" not in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "Notes on session 2" in screen_text(app))
        await pilot.press(*"odd", "enter")
        await until(pilot, lambda: bool(stored(db, lambda store: store.notes(2))))
        assert stored(db, lambda store: [store.session(2).tags, store.notes(1)]) == [(), []]


async def test_sessions_are_compared_and_merged(db: Path) -> None:
    async with listed(db) as (pilot, app, screen):
        await pilot.press("c")
        await until(pilot, lambda: "Mark one session with Space" in screen_text(app))
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: "Sessions 2 and 1" in screen_text(app))
        await shows(pilot, "3 identical", "1 different")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen and "●" in screen_text(app))
        await pilot.press("m")
        await until(pilot, lambda: "made of 2, 1" in screen_text(app))
        assert app.screen.query_one(PlainInput).value == "second [bold + judged"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and len(screen._listed) == 3)
        assert screen.selected is not None
        assert (screen.selected.id, screen.selected.n_samples, screen.marked) == (3, 8, [])


async def test_a_selection_of_samples_is_written_to_a_file(db: Path) -> None:
    async with listed(db) as (pilot, app, screen):
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        for name, message in (("", "Write the name"), ("x.xlsx", "expected .jsonl or .csv"), (str(db), "ends in .db")):
            app.screen.query_one(PlainInput).value = name
            await pilot.press("enter")
            await until(pilot, lambda message=message: message in screen_text(app))
        app.screen.query_one(PlainInput).value = "out.jsonl"
        app.screen.query_one(SelectionList).deselect(0)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and "Written to" in screen_text(app))
        rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
        assert {row["condition"] for row in rows} == {"demo-smollm2"}
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        app.screen.query_one(PlainInput).value = "out.jsonl"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen)
        await answer(pilot, app, "b", "copy.db")
        await until(pilot, lambda: Path("copy.db").exists())
        assert len(stored(Path("copy.db"), lambda store: store.sessions())) == 2


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_report_is_read_and_written_as_a_page(db: Path, size: tuple[int, int]) -> None:
    async with listed(db, size) as (pilot, app, screen):
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen) and "Findings" in screen_text(app))
        await shows(pilot, "Report of session 2: second [bold")
        before = screen_text(app)
        await pilot.press("pagedown")
        await until(pilot, lambda: screen_text(app) != before)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, SaveScreen))
        await pilot.press("enter")
        page = Path("report-session-2.html")
        await until(pilot, lambda: page.exists() and "Written to" in screen_text(app))
        assert page.read_text().startswith("<!doctype html>")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


@pytest.mark.usefixtures("toasts_stay")
async def test_what_cannot_be_read_hides_nothing_else(db: Path) -> None:
    with Store.open(db) as store:
        store.db.execute("UPDATE samples SET text = X'ff' WHERE id = 1")
        store.db.execute("UPDATE sessions SET layout = '{broken', name = X'ff' WHERE id = 1")
    async with listed(db) as (pilot, app, _):
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.workbench.bench.session == 1)
        await until(pilot, lambda: any("sample 1 of session 1 cannot be read" in n.message for n in app._notifications))
        cells = app.workbench.bench.cells.values()
        assert sum(bool(sample.text) for cell in cells for sample in cell.samples.values()) == 7


async def test_a_read_only_database_is_looked_at(db: Path) -> None:
    with read_only(db):
        async with listed(db) as (pilot, app, _):
            await pilot.press("enter")
            await until(pilot, lambda: app.workbench.bench.session == 2)
            await pilot.press("f8")
            await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 2)
            await pilot.press("end", "enter")
            await until(pilot, lambda: app.workbench.bench.session == 1)
            assert "Cannot write" not in screen_text(app)
            await app.workbench.close()
