"""Python looks through all that lives where nobody waits for a key: it holds every thread for 0.1 s."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.tui.garbage import DUE, OVERDUE, QUIET, search_if_due
from tests.support.app import make_app, ready


class Cycle:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


async def test_while_somebody_types_the_app_has_it_wait(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert gc.get_threshold()[2] == OVERDUE
        await pilot.press("j")
        assert app.keys.quiet < QUIET


def test_it_is_done_where_it_is_due_and_no_key_came() -> None:
    gc.set_threshold(0)
    gc.collect()
    old = Cycle()
    gc.collect(1)
    dead = weakref.ref(old)
    del old
    search_if_due(QUIET)
    assert dead() is not None, "not due yet"
    for _ in range(DUE):
        gc.collect(1)
    search_if_due(QUIET / 2)
    assert dead() is not None, "somebody types"
    search_if_due(QUIET)
    assert dead() is None
