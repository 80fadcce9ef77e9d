"""An example that is the prompt itself is refused, and the exact prompt is scrolled to what is edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.spec import Context, Example, Examples, ExampleSet, Hint
from alignbench.tui.context.example_dialog import ExampleScreen
from alignbench.tui.context.example_sets_dialog import ExampleSource
from alignbench.tui.context.examples_screen import ExamplesScreen
from alignbench.tui.context.hint_screen import HintScreen
from alignbench.tui.widgets.inputs import PlainArea
from alignbench.tui.widgets.marked_pane import MarkedPane
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.state import Bench
from tests.support.app import (
    SMALL,
    TEXTS,
    WIDE,
    bench_of,
    make_app,
    ready,
    sampled,
    screen_text,
    shows,
    until,
    widget_text,
)
from tests.support.fakes import FakePool

ITEMS = tuple(Example(f"question {i} " + "words " * 20, f"answer {i} " * 20) for i in range(4))


def with_context(bench: Bench, context: Context) -> None:
    column = bench.columns[1]
    bench.change(column, Column(replace(column.condition, context=context), column.n))
    bench.select(1)


@pytest.mark.usefixtures("toasts_stay")
@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_an_example_that_is_the_prompt_is_refused_when_it_is_written(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS))
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        prompt = app.workbench.bench.prompt.text
        await pilot.press("right", "f4")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen) and app.screen._prepared)
        composer = app.screen
        assert isinstance(composer, ExamplesScreen)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ExampleScreen) and app.screen.query("#hint"))
        written, response = (app.screen.query_one(f"#{name}", PlainArea) for name in ("prompt", "response"))
        for text in (prompt, f"  {prompt.upper()}\n"):
            written.text, response.text = text, "Because."
            await shows(pilot, "the prompt itself")
            app.screen.action_accept()
            await pilot.pause()
            assert isinstance(app.screen, ExampleScreen), "nothing that was typed is lost"
        written.text = "What is a river?"
        await until(pilot, lambda: "the prompt itself" not in screen_text(app))
        app.screen.action_accept()
        await until(pilot, lambda: app.screen is composer and composer._items)
        assert composer._place.example == 0, "the new one is chosen, and the preview shows it"

        itself, other = Example(prompt, "Because."), Example("What is a lake?", "Water.")
        for items, taken, said in (
            ((itself,), 1, "it is not taken"),
            ((other, itself, other), 3, "1 of 3 examples: the prompt itself, left out here."),
        ):
            composer.take(ExampleSource(ExampleSet(items, "some")))
            await shows(pilot, said)
            assert len(composer._items) == taken
        await shows(pilot, "is the query")


@pytest.mark.usefixtures("toasts_stay")
async def test_a_prompt_that_is_an_example_is_said(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("i")
        await shows(pilot, "B is now v2; v1 is kept, <")
        app.clear_notifications()
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.workbench.bench.position == 1)
        assert "is an example of" not in screen_text(app)
        await pilot.press("left_square_bracket")
        await shows(pilot, "This prompt is an example of B: it is left out here.")
        await pilot.press("right", "f4")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen) and app.screen._prepared)
        assert app.screen._prepared.notes == ("no example is left: the prompt itself is the only one there is",)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.workbench.bench.columns[1].version == 0)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_exact_prompt_is_scrolled_to_what_is_edited(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS))
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        hint = Hint("summary", text="Tea is warm.")
        with_context(app.workbench.bench, Context("plain", examples=Examples(ExampleSet(ITEMS)), hint=hint))
        app.workbench.changed()

        def preview() -> str:
            return widget_text(app.screen.query_one("#text", MarkedPane))

        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, HintScreen) and app.screen._prepared)
        if size == SMALL:
            await pilot.press("tab")
        await until(pilot, lambda: "Tea is warm." in preview())
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen) and app.screen._prepared)
        if size == SMALL:
            await pilot.press("tab")
        composer = app.screen
        assert isinstance(composer, ExamplesScreen)
        for at in (3, 0):
            composer._at = len(composer._places()) - len(ITEMS) + at
            composer.show()
            await until(pilot, lambda at=at: f"question {at} " in preview())
