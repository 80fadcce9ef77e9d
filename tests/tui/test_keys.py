"""The footer."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from textual.widgets._footer import FooterKey

from tests.support.app import WIDE, make_app, ready, still, until


async def test_the_keys_of_a_footer_that_is_composed_anew_are_forgotten(tmp_path: Path) -> None:
    """A day at the bench composes it thousands of times."""
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE) as pilot:
        bench = await ready(pilot, app)
        gone: list[weakref.ref[FooterKey]] = []
        for width in (119, 118, 117):
            key = bench.query(FooterKey).first()
            gone.append(weakref.ref(key))
            await pilot.resize_terminal(width, 36)
            await until(pilot, lambda key=key: not key.is_attached and bench.query(FooterKey))
            del key
        await pilot.pause()
        gc.unfreeze()
        await until(pilot, lambda: gc.collect() >= 0 and gone[0]() is None)


async def test_a_footer_is_composed_anew_only_where_it_shows_something_else(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE) as pilot:
        bench = await ready(pilot, app)
        await still(pilot)
        before = [*bench.query(FooterKey)]
        bench.refresh_bindings()
        await pilot.pause()
        assert [*bench.query(FooterKey)] == before
