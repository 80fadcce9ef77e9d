"""Where files go: asked for, completed, never over what is there unless one says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from alignbench.tui.dialogs.base import ConfirmScreen, LineScreen
from alignbench.tui.dialogs.condition import ConditionScreen
from alignbench.tui.dialogs.prompts import PromptsScreen
from alignbench.tui.dialogs.save import SaveScreen
from alignbench.tui.widgets.path_input import ModelInput, PathInput
from tests.support.app import SMALL, TEXTS, bench_of, make_app, ready, sampled, shows, until
from tests.support.fakes import FakePool


async def test_a_sample_is_saved_where_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "taken.txt").write_text("mine")
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts=TEXTS))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)

        async def asked() -> PathInput:
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, SaveScreen))
            return app.screen.query_one(PathInput)

        field = await asked()
        assert field.value == "demo-aligned-sample-1.txt"
        for value, said in (
            ("", "Write the path of a file"),
            ("out", "out is a folder"),
            ("no/such/file.txt", "there is no folder"),
            ("x.db", "it is a database"),
            ("x.db-wal", "part of the database"),
            ("~nobody-of-that-name/x", "no such home folder"),
        ):
            field.value = value
            await pilot.press("enter")
            await until(pilot, lambda said=said: said in str(app.screen.query_one("#message", Static).visual))
        field.value = "out/taken.txt"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, SaveScreen))
        assert (tmp_path / "out" / "taken.txt").read_text() == "mine"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is bench_of(app))
        await until(pilot, lambda: (tmp_path / "out" / "taken.txt").read_text() == TEXTS["demo-aligned"][0])
        (tmp_path / "out" / "demo-aligned-sample-1.txt").write_text("")
        assert (await asked()).value == "out/demo-aligned-sample-1-2.txt", "the folder of the last time, a free name"
        await pilot.press("escape")


async def test_tab_completes_where_a_path_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("prompts-one.txt", "prompts-two.txt", "model.gguf"):
        (tmp_path / name).write_text("Why?\n")
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, PromptsScreen) and app.screen._listed)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        field = app.screen.query_one(PathInput)
        await pilot.press("p")
        await until(pilot, lambda: field._suggestion == "prompts-one.txt")
        await pilot.press("tab")
        await until(pilot, lambda: field.value == "prompts-")
        await pilot.press("tab")
        await shows(pilot, "prompts-one.txt, prompts-two.txt")
        await pilot.press("t", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, PromptsScreen) and app.screen._chosen.endswith("two.txt"))
        await pilot.press("escape", "f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen) and app.screen._known)
        model = app.screen.query_one(ModelInput)
        model.value = "llama:mo"
        await pilot.press("tab")
        await until(pilot, lambda: model.value == "llama:model.gguf")
        model.value = "demo-b"
        await until(pilot, lambda: model._suggestion == "demo-base")
        await pilot.press("escape")
