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
from tests.support.app import SMALL, WIDE, make_app, ready, screen_text, shows, still, until


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
            tell(app, "Said often [/] ×2", timeout=60)
        tell(app, "Said once", timeout=60)
        tell(app, "Said often [/] ×2", "warning", timeout=60)
        await until(pilot, lambda: said(app) == ["Said often [/] ×2  ×3", "Said once", "Said often [/] ×2"])
        assert await at_row(pilot, "×3") == 0
        assert await at_row(pilot, "Said once") == 1
        tell(app, "Said once", timeout=60)
        await until(pilot, lambda: said(app)[-1] == "Said once  ×2" and len(said(app)) == 3)
        for i in range(9):
            tell(app, f"Line {i}", timeout=60)
        await until(pilot, lambda: said(app) == [f"Line {i}" for i in range(9 - MOST, 9)])


@pytest.mark.parametrize("size", [WIDE, SMALL, (80, 17)])
async def test_toasts_never_cover_what_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
        tell(app, "one\ntwo\nthree", timeout=60)
        tell(app, "four\nfive", timeout=60)
        await shows(pilot, "three", "five")
        for field in list(app.screen.query(Input)):
            field.focus()
            await until(pilot, lambda field=field: app.focused is field)
            await still(pilot, 3)
            covered = [toast.region for toast in app.screen.query(Toast) if toast.region.overlaps(field.region)]
            assert not covered, field.id
