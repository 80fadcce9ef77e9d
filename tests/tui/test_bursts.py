"""Keys typed without a pause: each acts on the screen that the keys before it opened, or nowhere."""

from __future__ import annotations

from pathlib import Path

from alignbench.store import Store
from alignbench.tui.dialogs.condition import ConditionScreen
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.sessions.screen import SessionsScreen
from alignbench.tui.sessions.search_dialog import SearchScreen
from alignbench.tui.widgets.inputs import PlainArea, PlainInput
from tests.support.app import SMALL, WIDE, bench_of, burst, make_app, ready, sampled, until


async def test_typing_goes_to_the_editor_that_is_opened(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        before = list(app.workbench.bench.columns)
        await burst(pilot, app, "e", *" xylophones are loud; d y [?]")
        assert isinstance(app.screen, EditorScreen)
        assert app.screen.query_one(PlainArea).text.endswith(" xylophones are loud; d y [?]")
        await burst(pilot, app, "f10", "f10", "f3", "f2")
        assert app.workbench.bench.prompt.text.endswith("d y [?]")
        assert isinstance(app.screen, ConditionScreen)
        assert app.workbench.bench.columns == before
        assert app.screen.query_one("#model", PlainInput).value != before[0].condition.model.name, "F2 went on"


async def test_moves_between_fields_are_over_before_the_next_key(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await burst(pilot, app, "f3", "down", "down", "7", "tab", "1", "shift+tab", "8", "enter", "enter")
        assert app.screen is bench_of(app), "the second Enter did not open the viewer"
        column = app.workbench.bench.columns[0]
        assert (column.n, column.condition.sampling.temperature) == (8, 1.0)


async def test_the_search_gets_what_is_typed_for_it(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await burst(pilot, app, "f8", "slash", "d", "y")
        assert isinstance(app.screen, SearchScreen)
        assert app.screen.query_one(PlainInput).value == "dy"
        await burst(pilot, app, "escape", "escape", "escape")
        assert app.screen is bench_of(app)
        with Store.open(db) as store:
            assert len(store.sessions()) == 1
        await burst(pilot, app, "f8", "d", "y", "y", "n")
        with Store.open(db) as store:
            assert not store.sessions(), "the question was asked, and answered once"
        assert isinstance(app.screen, SessionsScreen)


async def test_a_session_is_open_before_it_is_sampled(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        first = app.workbench.bench.session
        await burst(pilot, app, "ctrl+n", "]", "f5")
        await until(pilot, lambda: app.workbench.bench.session not in (None, first) and not app.workbench.busy)
        await burst(pilot, app, "f8", "down", "enter", "enter", "]", "]", "f5")
        await until(pilot, lambda: app.workbench.bench.session == first and not app.workbench.busy)
        await until(pilot, lambda: len(app.workbench.bench.asked) == 2)
        assert app.screen is bench_of(app)
