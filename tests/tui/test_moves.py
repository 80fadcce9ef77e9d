"""j, k, Home and End move in every list, table and long text; where letters are written, the arrows do."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.text import TextScreen
from alignbench.tui.sessions.diff_screen import ComparisonScreen
from tests.support.app import bench_of, burst, hint_second_column, make_app, ready, sampled, still, until
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.screens import OPENED_BY, left

LOW = (80, 15)  # where texts do not fit
LONG = "\n".join(f"Line {i} tells of tea and of rain." for i in range(60))
LETTERS = ("k", "j", "home", "end")
ARROWS = ("up", "down", "home", "end")  # below a line of text, which has the letters
# How each screen is moved in, with what is pressed before: a new screen belongs here, or among those that have no list.
MOVED: dict[str, tuple[tuple[str, str, str, str], tuple[str, ...]]] = {
    "AuditScreen": (LETTERS, ()),
    "ExamplesScreen": (LETTERS, ()),
    "ExportScreen": (LETTERS, ("tab",)),
    "HelpScreen": (LETTERS, ()),
    "HintScreen": (LETTERS, ()),
    "InvestigationScreen": (LETTERS, ("2",)),
    "LabelScreen": (LETTERS, ()),
    "LedgerScreen": (LETTERS, ()),
    "PromptsScreen": (ARROWS, ()),
    "ReportScreen": (LETTERS, ()),
    "SampleScreen": (LETTERS, ()),
    "ScoresScreen": (LETTERS, ()),
    "SearchScreen": (ARROWS, ("t", "e", "a")),
    "SessionsScreen": (LETTERS, ()),
    "SetsScreen": (LETTERS, ()),
    "VersionsScreen": (LETTERS, ()),
    "ViewerScreen": (LETTERS, ()),
}
ELSEWHERE = {"ComparisonScreen", "SurveyScreen"}  # the one is as the report is, the other in survey/test_screen.py
OF_FIELDS = {
    "ConditionScreen",
    "ConfirmScreen",
    "EditorScreen",
    "ExampleScreen",
    "LineScreen",
    "NotesScreen",
    "SaveScreen",
}


def test_every_screen_is_moved_in_below() -> None:
    assert issubclass(ComparisonScreen, TextScreen)  # as the report is
    assert {*MOVED, *OF_FIELDS, *ELSEWHERE} == set(OPENED_BY)


def drawn(app: BenchApp) -> object:
    """What is on the screen, colours too, and which sample is selected, which may be out of sight."""
    lines = app.screen._compositor.render_strips()
    return app.workbench.bench.cursor, [[(part.text, part.style) for part in line] for line in lines]


async def test_keys_move_on_every_screen(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool({"demo-aligned": [LONG], "demo-base": [LONG]}), LetterEmbedder())
    async with app.run_test(size=LOW) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.workbench.bench.session is None)
        await sampled(pilot, app)
        app.workbench.bench.select(1)
        hint_second_column(app)  # and so the column has two versions
        await sampled(pilot, app)
        still_there = {}
        for name, (keys, before) in {"BenchScreen": (LETTERS, ()), **MOVED}.items():
            await burst(pilot, app, *OPENED_BY.get(name, ()), *before)
            await still(pilot, 4)
            assert name == type(app.screen).__name__
            for field in app.screen.query(Input):
                field.cursor_blink = False
            up, down, first, last = keys
            seen = {}
            for key in (last, first, down, up):
                await burst(pilot, app, key)
                await pilot.pause()
                seen[key] = drawn(app)
            if seen[last] == seen[first] or seen[down] == seen[first] or seen[up] != seen[first]:
                still_there[name] = [seen[last] != seen[first], seen[down] != seen[first], seen[up] == seen[first]]
            await left(pilot, app)
            assert app.screen is bench_of(app)
        assert not still_there
