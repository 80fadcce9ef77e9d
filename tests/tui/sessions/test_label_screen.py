"""The screen on which a person labels pairs of samples."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from alignbench.judging.labels import LabelPlan, plan_labels
from alignbench.store import Judgment, Store
from alignbench.tui.sessions.label_screen import LabelScreen
from tests.support.app import SMALL, WIDE, bench_of, make_app, ready, screen_text, shows, until, widget_text
from tests.support.judged import fill


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    with Store.open(path) as store:
        fill(store, texts={(0, "demo-base", 0): "\n".join(f"line {i} [/]" for i in range(60))})
    return path


def planned(db: Path, *tags: str) -> LabelPlan:
    with Store.open(db) as store:
        return plan_labels(store, 1, tags=tags)


def labels(db: Path) -> list[Judgment]:
    with Store.open(db) as store:
        return [row.judgment for row in store.judgments(1)]


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_pairs_are_labelled_one_key_each_and_counted(db: Path, size: tuple[int, int]) -> None:
    plan = planned(db)
    app = make_app(db, session=1, labels=plan)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LabelScreen) and app.screen._item is not None)
        screen = app.screen
        assert isinstance(screen, LabelScreen)
        await shows(pilot, "0 of 4 pairs, 4 left", "1 the first is better   2 the second is better   3 no difference")
        assert "demo-" not in widget_text(screen.query_one("#heading", Static)), "the origin is hidden"
        await pilot.press("9")
        for done, key in ((1, "1"), (2, "3")):
            await pilot.press(key)
            await until(pilot, lambda done=done: f"{done} of 4 pairs" in screen_text(app) and screen._item is not None)
        assert [label.fields for label in labels(db)] == [
            plan.label(plan.items[i], c).fields for i, c in ((0, 0), (1, 2))
        ]
        await pilot.press("u")
        await until(pilot, lambda: screen._item == plan.items[1])
        await pilot.press("2")
        await until(pilot, lambda: screen._item == plan.items[2])
        assert labels(db)[1].fields == plan.label(plan.items[1], 1).fields, "the later answer takes the place"
        await pilot.press("s")
        await until(pilot, lambda: screen._item == plan.items[3])
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
    assert planned(db).items == plan.items[2:], "what is left waits for the next time"


async def test_the_end_says_what_was_preferred_and_how_far_judges_agree(db: Path) -> None:
    plan = planned(db)
    with Store.open(db) as store:
        store.add_judgments(1, [plan.label(item, 2) for item in plan.items[:3]])
    app = make_app(db, labels=planned(db))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LabelScreen) and app.screen._item is not None)
        await shows(pilot, "3 of 4 pairs, 1 left")
        await pilot.press("3")
        await until(pilot, lambda: "Every pair is labelled." in screen_text(app))
        await shows(pilot, "demo-base vs demo-smollm2", "alignbench judge SESSION --kind quality")


async def test_tags_of_ones_own_and_texts_that_scroll(db: Path) -> None:
    app = make_app(db, labels=planned(db, "hedges [b]", "says more"))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LabelScreen) and app.screen._item is not None)
        await shows(pilot, "1 hedges [b]   2 says more")
        for left in (3, 2, 1, 0):
            if "line 0 [/]" in screen_text(app):
                await pilot.press("pagedown")
                await until(pilot, lambda: "line 20 [/]" in screen_text(app))
            await pilot.press("2")
            await until(pilot, lambda left=left: f"{left} left" in screen_text(app))
            await until(pilot, lambda left=left: not left or app.screen._item is not None)
        assert [label.fields for label in labels(db)] == [{"tag": "says more"}] * 4


async def test_the_sessions_screen_has_a_key_for_it(db: Path) -> None:
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f8")
        await until(pilot, lambda: "judged" in screen_text(app))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LabelScreen) and app.screen._item is not None)
