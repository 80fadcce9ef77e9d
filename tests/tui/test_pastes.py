"""What is pasted is there with all its lines, or said to be joined."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from alignbench.store import Store
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.widgets.inputs import PlainInput
from tests.support.app import SMALL, make_app, ready, screen_text, until

PASTED = 'first line of it\nsecond line with [/b] and "quotes"\n\tthird'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_a_note_keeps_all_lines(tmp_path: Path, end: str) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("n")
        await until(pilot, lambda: "No notes yet" in screen_text(app))
        app.screen.query_one(PlainInput).post_message(events.Paste(PASTED.replace("\n", end)))
        await until(pilot, lambda: "third" in app.screen.query_one(PlainInput).value)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(PlainInput).value == "")
        with Store.open(tmp_path / "x.db") as store:
            assert [note.text for note in store.notes(app.workbench.bench.session or 0)] == [PASTED]


async def test_a_field_of_one_line_joins_them_and_says_so(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await app.push_screen(LineScreen("Name", "before ", empty="none"))
        await until(pilot, lambda: app.screen.query(PlainInput).first().has_focus)
        field = app.screen.query_one(PlainInput)
        field.post_message(events.Paste(PASTED))
        joined = 'before first line of it second line with [/b] and "quotes" third'
        await until(pilot, lambda: field.value == joined)
        await until(pilot, lambda: "3 lines were joined by spaces" in screen_text(app))
