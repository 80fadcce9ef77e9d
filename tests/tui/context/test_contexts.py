"""Contexts on the Bench: examples by key, both composers, versions, the recovery strip, the audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from alignbench.contexts.hints import hint_template
from alignbench.contexts.source_samples import needed_conditions, samples_in_context
from alignbench.experiments.condition_changes import context_words
from alignbench.spec import Context, Hint
from alignbench.store import Store
from alignbench.tui.app import BenchApp
from alignbench.tui.audit.screen import AuditScreen
from alignbench.tui.bench.recovery_band import RecoveryBand
from alignbench.tui.bench.score_strip import ScoreStrip
from alignbench.tui.context.example_dialog import ExampleScreen
from alignbench.tui.context.example_sets_dialog import SetsScreen
from alignbench.tui.context.examples_screen import ExamplesScreen
from alignbench.tui.context.hint_screen import HintScreen
from alignbench.tui.versions.screen import VersionsScreen
from alignbench.tui.widgets.inputs import PlainArea
from alignbench.tui.workbench.column import Column
from tests.support.app import (
    SMALL,
    WIDE,
    bench_of,
    make_app,
    ready,
    rows,
    sampled,
    screen_text,
    shows,
    still,
    until,
    widget_text,
)
from tests.support.fakes import FakePool, LetterEmbedder

HOSTILE = "[/x] [@click=app.bell]a[/] \x1b]52;c;eA==\x07 \u202eright"
TEXTS = {
    "demo-aligned": ["People keep diaries to remember small things.", "A diary helps to think.", "It is a habit."],
    "demo-base": ["The diary was old.", "because", "Question: why?"],
}


async def on(pilot: Pilot[Any], app: BenchApp, kind: type) -> Any:
    """Wait for a screen and for what it prepares."""
    await until(pilot, lambda: isinstance(app.screen, kind))
    await still(pilot)
    return app.screen


async def quiet(pilot: Pilot[Any], app: BenchApp) -> None:
    await until(pilot, lambda: app.screen is bench_of(app) and not app.workbench.busy)
    await still(pilot)


async def sampled_in(pilot: Pilot[Any], app: BenchApp, context: str) -> None:
    """Wait until the base column is in a context, and sample it."""
    bench = app.workbench.bench
    await until(pilot, lambda: context_words(bench.columns[1].condition.context) == context)
    await quiet(pilot, app)
    await pilot.press("s")
    await until(pilot, lambda: bench.cell(bench.columns[1]).done == 5 and not app.workbench.busy)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_from_zero_shot_to_a_hint_and_back_after_reopening(tmp_path: Path, size: tuple[int, int]) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        for _ in range(3):
            await sampled(pilot, app)
            await pilot.press("right_square_bracket")
        await pilot.press("left_square_bracket", "i", "i", "left_square_bracket", "down", "i", "left_square_bracket")
        base = bench.columns[1]
        assert [item.response for item in base.condition.context.examples.pool.items] == [  # type: ignore[union-attr]
            TEXTS["demo-aligned"][0],
            TEXTS["demo-aligned"][1],
        ]
        words = ["zero-shot", "2 examples", "2 examples + summary", "2 examples + keywords"]
        await pilot.press("right")
        await sampled_in(pilot, app, words[1])
        await pilot.press("f6")
        screen = await on(pilot, app, HintScreen)
        await until(pilot, lambda: "Not made yet" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "gives away" in screen_text(app) and "of the response =" in screen_text(app))
        assert TEXTS["demo-aligned"][0] in screen._shown.text
        await pilot.press("f10")
        await sampled_in(pilot, app, words[2])
        await pilot.press("f6")
        await on(pilot, app, HintScreen)
        await pilot.press("left", "left", "left", "left", "left")
        await until(pilot, lambda: "[keywords]" in screen_text(app))
        await pilot.press("f10")
        await sampled_in(pilot, app, words[3])
        assert [context_words(c.context) for c in bench.columns[1].history] == words
        scores = app.workbench.bench_scores._live
        assert scores is not None
        await until(pilot, lambda: scores.wait(0))
        app.workbench.changed()
        await until(pilot, lambda: "B4°, cosine: ." in str(app.screen.query_one(RecoveryBand).tooltip))
        before = widget_text(app.screen.query_one(ScoreStrip))
        shown = app.screen.query_one(RecoveryBand)
        band, said = widget_text(shown), str(shown.tooltip)
        session = bench.session
    assert "floor ." in band
    assert " ceiling" in band
    assert all(f"{name}, jaccard: ." in said for name in ("B2", "B3°", "B4°")), said
    assert "° held out" in said
    again = make_app(db, FakePool(texts=TEXTS), LetterEmbedder(), session=session)
    async with again.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: again.workbench.bench.session == session)
        await until(pilot, lambda: widget_text(again.screen.query_one(ScoreStrip)) == before)
        await until(pilot, lambda: widget_text(again.screen.query_one(RecoveryBand)) == band)
        await pilot.press("less_than_sign", "less_than_sign", "less_than_sign")
        assert again.workbench.bench.columns[1].name == "demo-base"
        assert again.workbench.bench.cell(again.workbench.bench.columns[1]).done == 5


async def test_a_set_is_picked_edited_moved_and_dropped(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("right", "f4")
        screen = await on(pilot, app, ExamplesScreen)
        await until(pilot, lambda: "<s># Query:" in screen_text(app))
        await pilot.press("f2")
        sets = await on(pilot, app, SetsScreen)
        await until(pilot, lambda: sets.query_one(OptionList).option_count >= 4)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen is screen and "short" in screen_text(app) and "tok" in screen_text(app))
        first, second = screen._items[:2]
        n = len(screen._items)
        await pilot.press(*["down"] * 8)
        assert screen._place.example == 0
        await pilot.press("right")
        assert screen._items[:2] == (second, first)
        assert screen._place.example == 1
        await pilot.press("x")
        assert len(screen._items) == n - 1
        assert first not in screen._items
        await pilot.press("a")
        example = await on(pilot, app, ExampleScreen)
        await pilot.press("f10")
        await until(pilot, lambda: "The prompt of an example is empty" in screen_text(app))
        example.query_one("#prompt", PlainArea).text = f"What is {HOSTILE}?"
        example.query_one("#response", PlainArea).text = HOSTILE
        await pilot.press("f10")
        await until(pilot, lambda: app.screen is screen and len(screen._items) == n)
        await pilot.press(*["down"] * 20)
        await until(pilot, lambda: "[@click=app.bell]" in screen_text(app) and "\\u202" in screen_text(app))
        assert "\x1b" not in screen_text(app)
        await pilot.press("f10")
        await quiet(pilot, app)
        pool = app.workbench.bench.columns[1].condition.context.examples.pool  # type: ignore[union-attr]
        assert (pool.name, pool.items[-1].response) == ("", HOSTILE.strip())


async def test_nearest_examples_show_their_similarity_and_esc_changes_nothing(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        before = app.workbench.bench.columns[1]
        await pilot.press("right", "f4")
        screen = await on(pilot, app, ExamplesScreen)
        await pilot.press("f2")
        sets = await on(pilot, app, SetsScreen)
        await until(pilot, lambda: sets.query_one(OptionList).option_count >= 4)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("down", "right", "right")
        await until(pilot, lambda: "nearest-prompt" in screen_text(app) and "tok 0." in screen_text(app))
        await shows(pilot, "not chosen")
        await pilot.press("escape")
        await quiet(pilot, app)
        assert app.workbench.bench.columns[1] == before


@pytest.mark.parametrize("select", [2, 3])
async def test_a_context_that_cannot_be_made_is_explained_and_not_accepted(tmp_path: Path, select: int) -> None:
    """Without an embedding model nothing is nearest; without samples there is no teacher."""
    app = make_app(tmp_path / "x.db", FakePool())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("right", "f4")
        screen = await on(pilot, app, ExamplesScreen)
        await pilot.press("f2")
        sets = await on(pilot, app, SetsScreen)
        await until(pilot, lambda: sets.query_one(OptionList).option_count >= 4)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("down", *["right"] * select)
        await until(pilot, lambda: screen.error)
        await shows(pilot, "There is no such prompt")
        await pilot.press("f10")
        assert app.screen is screen


async def test_versions_are_compared(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        await pilot.press("i", "left_square_bracket", "right", "v")
        await on(pilot, app, VersionsScreen)
        await shows(pilot, "From version 1 to version 2", "1 example", "zero-shot", "on the Bench", "jaccard")
        await pilot.press("up", "enter")
        await quiet(pilot, app)
        assert (bench.columns[1].name, bench.columns[1].version) == ("demo-base", 0)


async def test_the_audit_names_what_nobody_studies(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right", "f9")
        await on(pilot, app, AuditScreen)
        await until(pilot, lambda: "not under study" in screen_text(app))
        await shows(pilot, "BOS in the prompt", "1, the tokenizer adds it", "0, the tokenizer adds none", "0 of 5 (0%)")
        await until(pilot, lambda: "Under study: model (" in screen_text(app))
        above = screen_text(app).partition("Under study: model (")[0]
        assert "template " in above, "layouts of their own are a confound between bare models"
        await pilot.press("u")
        await until(pilot, lambda: "Under study: model and context (" in screen_text(app))
        assert "template " not in screen_text(app).partition("Under study")[0]
        await pilot.press("p")
        await until(pilot, lambda: "<s># Query:" in screen_text(app) and "<|user|>" in screen_text(app))


async def test_a_made_hint_that_is_edited_still_tells_of_its_source(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right", "f6")
        screen = await on(pilot, app, HintScreen)
        for made, source in ((False, ("", 0)), (True, ("demo-aligned", 0))):
            if made:
                await pilot.press("enter")
                await until(
                    pilot, lambda: "of each prompt's own sample" in screen_text(app) and screen._shown is not None
                )
            await pilot.press("e")
            await until(pilot, lambda: app.screen is not screen)
            app.screen.query_one(PlainArea).text = f"Written by hand, {made}."
            await pilot.press("f10")
            await until(pilot, lambda: app.screen is screen and "by hand" in screen_text(app))
            hint = screen._hint()
            assert hint is not None
            assert (hint.condition, hint.sample) == source
        await pilot.press("f10")
        await until(pilot, lambda: app.workbench.bench.columns[1].condition.context.hint == hint)
    assert needed_conditions(Context("plain", hint=hint), None) == set(), "its text is there"
    assert samples_in_context(Context("plain", hint=hint), "demo-aligned") == {0}


async def test_the_maker_of_a_context_stays_though_it_is_no_column(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        bench = app.workbench.bench
        hint = Hint("summary", "", "demo-aligned", 0, "demo-smollm2", hint_template("summary"))
        condition = replace(bench.columns[1].condition, context=Context("plain", hint=hint))
        bench.change(bench.columns[1], Column(condition, 5))
        app.workbench.changed()
        await pilot.press("f6")
        screen = await on(pilot, app, HintScreen)
        await shows(pilot, "summary by demo-smollm2")
        assert screen._hint() == hint


async def test_a_hint_by_hand_is_kept_for_the_prompt(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts={**TEXTS, "demo-aligned": [f"An answer. {HOSTILE}"]}), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right", "f6")
        screen = await on(pilot, app, HintScreen)
        await shows(pilot, "[@click=app.bell]")
        await pilot.press("e")
        await until(pilot, lambda: app.screen is not screen)
        app.screen.query_one(PlainArea).text = HOSTILE
        await pilot.press("f10")
        await until(pilot, lambda: app.screen is screen and "gives away" in screen_text(app))
        assert "\x1b" not in screen_text(app)
        await pilot.press("f10")
        await quiet(pilot, app)
        await pilot.press("s")
        await until(pilot, lambda: len(rows(db)) == 15 and not app.workbench.busy)
    with Store.open(db) as store:
        hints = store.hints(store.sessions()[0].id)
    assert [hint.text for hint in hints] == [HOSTILE.strip()]
