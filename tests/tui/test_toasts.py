"""Toasts: at the top, equal ones once, and never over what is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast

from alignbench.tui.dialogs.condition import ConditionScreen
from alignbench.tui.notices import MOST, tell
from tests.support.app import SMALL, WIDE, make_app, ready, sampled, screen_text, shows, still, until
from tests.support.waiting import LIMIT


def said(app: App[Any]) -> list[str]:
    return [toast._notification.message for toast in app.screen.query(Toast)]


async def at_row(pilot: Pilot[Any], text: str) -> int:
    await shows(pilot, text)
    await still(pilot)
    return next(y for y, line in enumerate(screen_text(pilot.app).splitlines()) if text in line)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_toasts_stand_at_the_top_and_equal_ones_are_one(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        for _ in range(3):
            tell(app, "Said often [/] ×2", timeout=LIMIT)
        tell(app, "Said once", timeout=LIMIT)
        tell(app, "Said often [/] ×2", "warning", timeout=LIMIT)
        await until(pilot, lambda: said(app) == ["Said often [/] ×2  ×3", "Said once", "Said often [/] ×2"])
        assert await at_row(pilot, "×3") == 0
        assert {toast.region.right for toast in app.screen.query(Toast)} == {size[0]}, "nothing is seen beside them"
        assert await at_row(pilot, "Said once") == 1
        tell(app, "Said once", timeout=LIMIT)
        await until(pilot, lambda: said(app)[-1] == "Said once  ×2" and len(said(app)) == 3)
        for i in range(9):
            tell(app, f"Line {i}", timeout=LIMIT)
        await until(pilot, lambda: said(app) == [f"Line {i}" for i in range(9 - MOST, 9)])


@pytest.mark.parametrize("size", [WIDE, SMALL, (80, 17)])
async def test_toasts_never_cover_what_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
        tell(app, "one\ntwo\nthree", timeout=LIMIT)
        tell(app, "four\nfive", timeout=LIMIT)
        await shows(pilot, "three", "five")
        for field in list(app.screen.query(Input)):
            field.focus()
            await until(pilot, lambda field=field: app.focused is field)
            await still(pilot, 3)
            covered = [toast.region for toast in app.screen.query(Toast) if toast.region.overlaps(field.region)]
            assert not covered, field.id


@pytest.mark.usefixtures("toasts_stay")
@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_keys_say_what_they_changed(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await ready(pilot, app)
        await sampled(pilot, app)
        for keys, words in (
            (("asterisk",), "A is the reference already."),
            (("right", "asterisk"), "B is the reference now."),
            (("f",), "Samples are shown whole."),
            (("r",), "B is now v2; v1 is kept, <: seed 0 → 5, called demo-base 2."),
            (("less_than_sign", "less_than_sign"), "has no older version"),
            (("f9", "tab"), "There is no third column to compare with"),
            (("u",), "Under study: model and context ("),
        ):
            await pilot.press(*keys)
            await shows(pilot, words)
            await until(pilot, lambda: not app.workbench.busy)
            app.clear_notifications()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        app.workbench.bench.prompts = app.workbench.bench.prompts[:1]
        await pilot.press("right_square_bracket")
        await shows(pilot, "There is no other prompt here.")
        await pilot.press("ctrl+n")
        await shows(pilot, "The one before is kept: F8.")


@pytest.mark.usefixtures("toasts_stay")
async def test_a_changed_condition_says_what_became_of_the_column(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen) and app.screen._known)
        app.screen.query_one("#temperature", Input).value = "0"
        await pilot.press("enter")
        await shows(pilot, "A is now v2; v1 is kept, <: temperature 1 → 0")
