"""What was taken away or left with changes comes back with u."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.tui import undo
from alignbench.tui.context.examples_screen import ExamplesScreen
from alignbench.tui.dialogs.condition import ConditionScreen
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.widgets.inputs import PlainArea, PlainInput
from tests.support.app import WIDE, bench_of, burst, make_app, ready, screen_text, shows, until
from tests.support.fakes import FakePool, LetterEmbedder


async def test_a_column_comes_back_to_its_place_as_the_reference(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        before = list(bench.columns)
        await burst(pilot, app, "x")
        await shows(pilot, "demo-aligned is taken away. u brings it back.")
        assert (bench.columns, bench.reference) == (before[1:], "demo-base")
        await burst(pilot, app, "x", "u", "u")
        assert (bench.columns, bench.reference, bench.selected) == (before, "demo-aligned", 0)
        await burst(pilot, app, "u")
        await shows(pilot, "There is nothing to bring back here.")


async def test_an_editor_and_a_dialog_come_back_as_they_were_left(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        bench = await ready(pilot, app)
        prompt = app.workbench.bench.prompt.text
        await burst(pilot, app, "e", *" new words", "escape", "escape")
        assert app.screen is bench
        assert app.workbench.bench.prompt.text == prompt
        await burst(pilot, app, "u", *", and more", "escape", "u")
        assert isinstance(app.screen, EditorScreen)
        assert app.screen.query_one(PlainArea).text == f"{prompt} new words, and more"
        await burst(pilot, app, "f10")
        assert app.workbench.bench.prompt.text == f"{prompt} new words, and more"
        await burst(pilot, app, "f3", "down", "down", "9", "escape", "u", "f10")
        assert app.workbench.bench.columns[0].n == 9
        await burst(pilot, app, "f3", "escape", "u")
        assert app.screen is bench, "nothing was changed"
        await burst(pilot, app, "e", "x", "escape", "a", "escape", "x", "u", "u")
        assert isinstance(app.screen, EditorScreen), "the column first, then the editor"


async def test_examples_come_back_and_so_does_the_composer(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        bench = await ready(pilot, app)
        await burst(pilot, app, "right", "f4", "f2", "down", "enter")
        screen = app.screen
        assert isinstance(screen, ExamplesScreen)
        items = screen._items
        await burst(pilot, app, *["down"] * 9, "x", "x")
        await shows(pilot, "u brings it back")
        assert len(screen._items) == len(items) - 2
        await burst(pilot, app, "u", "u")
        assert screen._items == items
        await burst(pilot, app, "escape")
        assert app.screen is bench
        await burst(pilot, app, "u", "f10")
        assert app.workbench.bench.columns[1].condition.context.examples is not None


async def test_what_is_not_asked_for_in_time_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "UNDO_SECONDS", 0.01)
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        bench = await ready(pilot, app)
        await burst(pilot, app, "e", "!", "escape")
        await until(pilot, lambda: not app.undo._offers and not app._installed_screens)
        await burst(pilot, app, "u")
        assert app.screen is bench


async def test_what_is_written_is_not_left_by_one_ctrl_q(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await burst(pilot, app, "f3", "tab", "tab", "9", "ctrl+q")
        assert isinstance(app.screen, ConditionScreen)
        assert app.screen.query_one("#n", PlainInput).value == "9"
        await until(pilot, lambda: "Ctrl+Q again" in " ".join(screen_text(app).split()))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)
    assert bench_of(app) is not None
