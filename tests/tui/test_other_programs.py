"""The user's editor and pager, played by small scripts; in a pilot there is no terminal to lend."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from alignbench.spec import Example
from alignbench.tui.app import BenchApp
from alignbench.tui.context.example_dialog import ExampleScreen
from alignbench.tui.context.examples_screen import ExamplesScreen
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.sessions.notes_dialog import NotesScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.inputs import LinesInput, PlainArea
from tests.support.app import WIDE, make_app, ready, sampled, until
from tests.support.fakes import FakePool

HOSTILE = "red \x1b[31m\x1b]52;c;aGk=\x07 $(touch owned) `touch owned` '\"; \u202e \ud800 end"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where temporary files are, with no editor or pager set."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for name in ("VISUAL", "EDITOR", "PAGER"):
        monkeypatch.delenv(name, raising=False)


def script(tmp_path: Path, name: str, body: str) -> str:
    """A program; its path, which has a space in it, as the environment would have it."""
    path = tmp_path / f"my {name}"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return f"'{path}'"


@asynccontextmanager
async def opened(tmp_path: Path, pool: FakePool | None = None) -> AsyncIterator[tuple[Pilot[Any], BenchApp]]:
    app = make_app(tmp_path / "x.db", pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        yield pilot, app


async def test_a_prompt_is_written_in_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as (pilot, app):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        area = app.screen.query_one(PlainArea)
        assert area.has_focus
        assert area.cursor_location == area.document.end, "one goes on at the end of the text"
        before = area.text

        async def press(said: str) -> None:
            await pilot.press("ctrl+o")
            await until(pilot, lambda: said in str(app.screen.query_one("#message", Static).visual))

        await press("No editor is set: VISUAL or EDITOR names one")
        for value, said in (
            ("'unclosed", "a quote is not closed"),
            ("/no/such/editor --wait", "/no/such/editor cannot be started"),
            (script(tmp_path, "failing", 'echo lost > "$1"; exit 3'), "ended with code 3. The text is as it was."),
            (script(tmp_path, "killed", 'echo lost > "$1"; kill -9 $$'), "was ended by signal 9"),
            (script(tmp_path, "removing", 'rm "$1"'), "cannot be read"),
            (script(tmp_path, "binary", r'''printf '\377' > "$1"'''), "is no UTF-8"),
            (script(tmp_path, "looking", 'echo >> "$1"'), "The editor left the text as it was."),
        ):
            monkeypatch.setenv("EDITOR", value)
            await press(said)
            assert area.text == before
        monkeypatch.setenv("EDITOR", "/no/such/editor")
        monkeypatch.setenv(
            "VISUAL", script(tmp_path, "editor", 'printf "%s\\nsecond [/] %s\\n" "$1" "$(cat "$2")" > "$2"') + " --flag"
        )
        await pilot.press("ctrl+o")
        await until(pilot, lambda: area.text == f"--flag\nsecond [/] {before}")
        assert area.cursor_location == area.document.end
        assert area.has_focus
        await pilot.press("ctrl+z")
        await until(pilot, lambda: area.text == before)
        assert not list((tmp_path / "temporary").iterdir()), "nothing is left behind"


async def test_every_text_of_several_lines_has_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", script(tmp_path, "editor", 'printf "one\\ntwo" > "$1"'))
    async with opened(tmp_path) as (pilot, app):
        app.push_screen(NotesScreen(app.workbench))
        await until(pilot, lambda: isinstance(app.screen, NotesScreen))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.screen.query_one(LinesInput).text == "one\ntwo")
        app.push_screen(ExampleScreen(Example("prompt", "response"), lambda _: None))
        await until(pilot, lambda: isinstance(app.screen, ExampleScreen) and app.screen.query("#hint"))
        app.screen.query_one("#hint", PlainArea).focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.screen.query_one("#hint", PlainArea).text == "one\ntwo")
        assert app.screen.query_one("#prompt", PlainArea).text == "prompt", "it is the one that has the focus"


async def test_a_sample_and_an_exact_prompt_are_read_in_the_pager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager = script(tmp_path, "pager", 'cat > "$1"')
    monkeypatch.setenv("PAGER", f"{pager} sample.txt")
    async with opened(tmp_path, FakePool(texts={"demo-aligned": [HOSTILE]})) as (pilot, app):
        await sampled(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await pilot.press("p")
        await until(pilot, Path("sample.txt").exists)
        shown = Path("sample.txt").read_text()
        assert shown.startswith("red ␛[31m␛]52;c;aGk=␇ $(touch owned)")
        assert not Path("owned").exists()
        for value, said in (("/no/pager", "cannot be started"), (script(tmp_path, "bad", "exit 2"), "code 2")):
            monkeypatch.setenv("PAGER", value)
            await pilot.press("p")
            await until(pilot, lambda said=said: any(said in each.message for each in app._notifications))
        monkeypatch.setenv("PAGER", script(tmp_path, "early", "exec true"))
        await pilot.press("p")
        await pilot.press("escape", "right", "f4")
        await until(pilot, lambda: isinstance(app.screen, ExamplesScreen) and app.screen.paged_text())
        monkeypatch.setenv("PAGER", f"{pager} exact.txt")
        await pilot.press("p")
        await until(pilot, Path("exact.txt").exists)
        assert app.workbench.bench.prompt.text in Path("exact.txt").read_text()


async def test_less_is_the_pager_where_none_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "less"
    fake.write_text('#!/bin/sh\necho "$@" > arguments; cat > shown\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    async with opened(tmp_path) as (pilot, app):
        await sampled(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await pilot.press("p")
        await until(pilot, Path("shown").exists)
        assert Path("arguments").read_text() == "-+F\n", "a short text stays until it is left"
