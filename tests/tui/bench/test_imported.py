"""Imported responses in the app: what there is of them, and that none can be drawn."""

from __future__ import annotations

import json
from pathlib import Path

from alignbench.importing.save import save_import
from alignbench.store import Store
from tests.support.app import SMALL, heads, line_with, make_app, ready, screen_text, shows, until
from tests.support.collected import read_jsonl
from tests.support.fakes import FakePool, LetterEmbedder


def imported(folder: Path) -> Path:
    """Two responses to one prompt and one to the other, of a base and an aligned model."""
    rows = [
        {"prompt_id": id, "prompt": f"Why {id}?", "condition": name, "kind": kind, "text": f"Since {id} rains {i}."}
        for name, kind in (("raw", "base"), ("chat", "aligned"))
        for id, n in (("tea", 1), ("ice", 2))
        for i in range(n)
    ]
    (folder / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return stored(folder)


def stored(folder: Path) -> Path:
    """The database that `theirs.jsonl` is in."""
    with Store.open(folder / "x.db") as store:
        save_import(store, read_jsonl(folder / "theirs.jsonl"))
    return folder / "x.db"


async def test_imported_responses_are_all_there_is(tmp_path: Path) -> None:
    app = make_app(imported(tmp_path), FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: "C continues theirs" in screen_text(app))
        await pilot.press("C")
        await shows(pilot, "Since tea rains 0.", "raw")
        assert all("1/1 done" in head for head in heads(app)), "the most of any prompt is no number to reach"
        assert "waiting" not in screen_text(app)
        await pilot.press("f5")
        await shows(pilot, "All responses here were imported")
        await pilot.press("f7", "5")
        await until(pilot, lambda: "2 prompts of this" in screen_text(app))
        await pilot.press("6")
        await until(pilot, lambda: "no entropies are stored" in line_with(app, " A "))
        assert not app.workbench.busy


async def test_imported_replies_to_a_survey_question_are_counted(tmp_path: Path) -> None:
    asked = {
        "prompt_id": "fares",
        "prompt": "Free buses?\nA. No\nB. Yes",
        "condition": "chat",
        "options": ["Yes", "No"],
    }
    rows = [{**asked, "text": reply} for reply in ("A", "B", "A", "No.", "It depends on much.")]
    (tmp_path / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    app = make_app(stored(tmp_path), FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: "C continues theirs" in screen_text(app))
        await pilot.press("C")
        await shows(pilot, "It depends on much.")
        await pilot.press("o")
        await until(pilot, lambda: ".25" in line_with(app, "replies") and ".75" in line_with(app, "replies"))
