"""The dialog that picks a prompt."""

from __future__ import annotations

from pathlib import Path

from alignbench.tui.dialogs.prompts import PromptsScreen
from tests.support.app import SMALL, make_app, ready, screen_text, until
from tests.support.fakes import FakePool


async def test_prompts_that_begin_alike_have_their_ids(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, PromptsScreen) and "contested" in screen_text(app))
        await pilot.press("tab")
        await until(pilot, lambda: all(f"story-01/{k}  Write" in screen_text(app) for k in (0, 1, 3, 6, 12)))
