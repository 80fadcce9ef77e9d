"""What a click opens, and what dragging copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from alignbench.tui.app import BenchApp
from alignbench.tui.bench.columns import ColumnsView
from alignbench.tui.bench.prompt_box import PromptBox
from alignbench.tui.bench.recovery_band import RecoveryBand
from alignbench.tui.bench.score_strip import ScoreStrip
from alignbench.tui.dialogs.prompts import PromptsScreen
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.scores.screen import ScoresScreen
from alignbench.tui.sessions.screen import SessionsScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.text_pane import TextPane
from tests.support.app import bench_of, make_app, ready, sampled, screen_text, shows, until
from tests.support.fakes import FakePool

TEXT = (
    "Tea is warm, ⚠️ and ❤️ it keeps 日本語 people warm\nuntil\tthe evening \x1b[31m comes and all of them go home again."
)
SHOWN = TEXT.replace("\t", "    ").replace("\x1b", "␛")


def cell_of(app: BenchApp, text: str, nth: int = 0) -> tuple[int, int]:
    """The cell of the screen where a text begins."""
    from rich.cells import cell_len

    places = [
        (cell_len(line[:at]), y)
        for y, line in enumerate(screen_text(app).splitlines())
        for at in range(len(line))
        if line.startswith(text, at)
    ]
    return places[nth]


async def drag(pilot: Pilot[None], begin: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=begin)
    for offset in ((begin[0] + 1, begin[1]), end):
        await pilot.hover(offset=offset)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


async def test_clicks_do_what_keys_do(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await ready(pilot, app)
        await pilot.press("d", "d", "d", "d")
        await until(pilot, lambda: len(screen.query_one(ColumnsView).views) == 2)
        await sampled(pilot, app)
        bench = app.workbench.bench

        async def opens(at: tuple[int, int] | Widget, what: type) -> None:
            await (pilot.click(at) if isinstance(at, Widget) else pilot.click(offset=at))
            await until(pilot, lambda: isinstance(app.screen, what))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)

        await opens(screen.query_one(PromptBox), EditorScreen)
        await opens(cell_of(app, "open-ended 1/60"), PromptsScreen)
        await opens((18, 0), SessionsScreen)
        await opens(screen.query_one(ScoreStrip), ScoresScreen)
        await until(pilot, lambda: screen.query_one(RecoveryBand).display)
        await opens(screen.query_one(RecoveryBand), ScoresScreen)
        for name, selected in (("A* ", 0), ("B C", 1), ("E F ▸", 4)):
            await pilot.click(offset=cell_of(app, name))
            await until(pilot, lambda selected=selected: bench.selected == selected)
        x, y = cell_of(app, "◂")
        await pilot.click(offset=(x, y))
        await until(pilot, lambda: bench.selected == 3)
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: len(screen.query_one(ColumnsView).views) == 1)
        await until(pilot, lambda: "▶D" in screen_text(app))
        await pilot.click(offset=cell_of(app, " B "))
        await until(pilot, lambda: bench.selected == 1)
        await pilot.click(screen.query_one(ColumnsView).views[0].samples, offset=(5, 0), times=2)
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await pilot.resize_terminal(100, 30)
        await shows(pilot, "2 shared words")
        await pilot.click(offset=cell_of(app, "2 shared words"))
        await until(pilot, lambda: app.screen._view == "shared")
        await pilot.press("escape", "f7")
        await shows(pilot, "2 recovery")
        await pilot.click(offset=cell_of(app, "2 recovery"))
        await until(pilot, lambda: app.screen._view == "recovery")


async def test_dragging_over_samples_copies_them(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts={"demo-aligned": [TEXT, "second"] * 3, "demo-base": ["b"] * 5}))
    async with app.run_test(size=(80, 40), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await shows(pilot, "until", "second")
        for begin, end, copied in (
            ("warm, ", "日本", TEXT[TEXT.index("warm, ") : TEXT.index("本")]),
            ("is", "evening", TEXT[TEXT.index("is") : TEXT.index("vening")]),
            ("evening", "is", TEXT[TEXT.index("is") : TEXT.index("vening")]),
            ("❤️", "it", "❤️ i"),
            ("home", "second", TEXT[TEXT.index("home") :] + "\n\ns"),
        ):
            app._clipboard = ""
            await drag(pilot, cell_of(app, begin), cell_of(app, end))
            await until(pilot, lambda: app.clipboard)
            assert app.clipboard == copied
            await shows(pilot, f"Copied: {len(copied)} characters")
        assert app.workbench.bench.cursor == 0, "dragging selects no sample"
        assert app.screen is bench_of(app)
        app._clipboard = ""
        await drag(pilot, cell_of(app, "warm,"), (70, 12))
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard in TEXT or app.clipboard.startswith("warm,"), "what is selected stays in its column"
        assert "b1" not in app.clipboard
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await until(pilot, lambda: app.screen.query_one(TextPane).size.height)
        app._clipboard = ""
        await drag(pilot, cell_of(app, "keeps"), cell_of(app, "comes"))
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard == TEXT[TEXT.index("keeps") : TEXT.index("omes")]
        await pilot.press("2")
        await shows(pilot, "keeps")
        app._clipboard = ""
        await drag(pilot, cell_of(app, "keeps"), cell_of(app, "comes"))
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard == TEXT[TEXT.index("keeps") : TEXT.index("omes")]


@pytest.mark.parametrize("key", ["f7", "I"])
async def test_dragging_over_tables_copies_their_lines(tmp_path: Path, key: str) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not bench_of(app))
        await shows(pilot, "words")
        x, y = cell_of(app, "words")
        await drag(pilot, (x, y), (x + 4, y))
        await until(pilot, lambda: app.clipboard == "words")
