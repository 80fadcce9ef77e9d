"""Prompts that were typed: in the session, and in every other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench import paths
from alignbench.prompts import load_prompts
from alignbench.spec import Prompt
from alignbench.tui.dialogs.prompts import PromptsScreen
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.widgets.inputs import PlainArea
from alignbench.tui.workbench import prompt_history
from alignbench.tui.workbench.prompt_history import remember_typed, typed_before
from alignbench.tui.workbench.state import THIS_SESSION, TYPED_BEFORE
from tests.support.app import WIDE, make_app, ready, sampled, shows, until


def test_the_newest_stand_first_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_history, "MOST", 3)
    assert typed_before() == []
    for text in ("one?", "two\nlines \ud800?", "three?", "one?", "four?"):
        assert remember_typed(Prompt.typed(text)) == ""
    assert [prompt.text for prompt in typed_before()] == ["four?", "one?", "three?"]
    assert [prompt.text for prompt in load_prompts(str(paths.typed_prompts_file()))] == ["three?", "one?", "four?"]


def test_a_file_that_cannot_be_read_or_written_hinders_nothing() -> None:
    paths.config_dir().mkdir(parents=True)
    paths.typed_prompts_file().write_bytes(b'{"prompt": "kept"}\n[1]\n\xff')
    assert typed_before() == []
    paths.typed_prompts_file().unlink()
    paths.typed_prompts_file().mkdir()
    assert "is not kept for other sessions" in remember_typed(Prompt.typed("one?"))


async def test_typed_prompts_stay_in_the_session_and_come_back_in_others(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        for text in ("What is tea?", "What is rain?"):
            await pilot.press("e")
            await until(pilot, lambda: isinstance(app.screen, EditorScreen))
            app.screen.query_one(PlainArea).text = text
            app.screen.action_accept()
            await until(pilot, lambda text=text: app.workbench.bench.prompt.text == text)
        await sampled(pilot, app)
        assert [prompt.text for prompt in app.workbench.bench.own_prompts] == ["What is rain?", "What is tea?"]
        assert app.workbench.bench.name.endswith("“What is rain?” · demo-aligned, demo-base")
        await app.workbench.save()
        await app.workbench.open(1)
        assert app.workbench.bench.typed == [Prompt.typed("What is tea?"), Prompt.typed("What is rain?")]
    app = make_app(tmp_path / "y.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, PromptsScreen) and app.screen._listed)
        assert THIS_SESSION not in app.screen._sets
        while app.screen._chosen != TYPED_BEFORE:
            await pilot.press("tab")
        await shows(pilot, "typed before", "What is tea?", "What is rain?")
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.workbench.bench.prompt == Prompt.typed("What is tea?"))
