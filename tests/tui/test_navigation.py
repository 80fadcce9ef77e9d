"""Screens that other screens ask for."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from alignbench.tui.messages import Open, ScreenName
from tests.support.app import WIDE, make_app, ready, sampled, shows, until
from tests.support.fakes import FakePool, LetterEmbedder


async def test_every_name_opens_a_screen_that_esc_leaves(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        bench = await ready(pilot, app)
        await sampled(pilot, app)
        opened = set()
        for name in get_args(ScreenName):
            bench.post_message(Open(name))
            await until(pilot, lambda: app.screen is not bench)
            opened.add(type(app.screen))
            while app.screen is not bench:  # Esc in the ledger first gives up what is being read
                await pilot.press("escape")
                await pilot.pause()
        assert len(opened) == len(get_args(ScreenName))


async def test_a_column_that_is_sampled_has_no_composer(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        bench = await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: app.workbench.busy)
        bench.post_message(Open("examples"))
        await shows(pilot, "This column is being sampled; Esc stops it.")
        assert app.screen is bench
