"""The footer."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from textual.widgets._footer import FooterKey

from tests.support.app import WIDE, make_app, ready, until


async def test_the_keys_of_a_footer_that_is_composed_anew_are_forgotten(tmp_path: Path) -> None:
    """A day of sampling composes it thousands of times."""
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE) as pilot:
        bench = await ready(pilot, app)
        gone: list[weakref.ref[FooterKey]] = []
        for _ in range(3):
            key = bench.query(FooterKey).first()
            gone.append(weakref.ref(key))
            bench.refresh_bindings()
            await until(pilot, lambda key=key: not key.is_attached and bench.query(FooterKey))
            del key
        await pilot.pause()
        gc.unfreeze()
        await until(pilot, lambda: gc.collect() >= 0 and gone[0]() is None)
