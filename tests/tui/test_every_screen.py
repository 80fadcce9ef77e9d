"""What holds of every screen and dialog: keys that come early, the key that accepts, help, lists."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.widgets._footer import FooterKey

import alignbench.tui
from alignbench.tui.action import SCOPES, of_screen
from alignbench.tui.dialogs.base import DialogScreen
from alignbench.tui.messages import ScreenName
from alignbench.tui.screen import AppScreen
from tests.support.app import SMALL, burst, make_app, ready, sampled, until
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.screens import EARLY, OPENED_BY, left

ABSTRACT = {
    "AppScreen", "BenchScreen", "DialogScreen", "ListScreen", "PreparerScreen", "ReadingScreen",
    "TextScreen", "WorkbenchScreen",
}  # fmt: skip
ACCEPTED = {"ExamplesScreen", "HintScreen", "VersionsScreen"}  # by F10, and dialogs


def classes(kind: type = AppScreen) -> Iterator[type]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("alignbench."):
            yield each
        yield from classes(each)


def test_every_screen_is_tried_below() -> None:
    for module in pkgutil.walk_packages(alignbench.tui.__path__, "alignbench.tui."):
        importlib.import_module(module.name)
    there = {each.__name__ for each in classes()} - ABSTRACT
    assert there == set(OPENED_BY)
    assert len(get_args(ScreenName)) <= len(there)


def test_f5_samples_and_nothing_else() -> None:
    for scope, actions in SCOPES.items():
        for action in actions:
            assert "f5" not in action.keys.split(",") or (scope, action.name) == ("bench", "sample")


async def test_keys_that_come_early_reach_no_screen_below(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        bench = await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.workbench.bench.session is None)
        await sampled(pilot, app)
        await pilot.press("right")
        columns, acted = list(app.workbench.bench.columns), []
        run_action = app.run_action

        async def noted(action: Any, namespace: Any = None, *args: Any) -> bool:
            acted.append((namespace, action))
            return await run_action(action, namespace, *args)

        app.run_action = noted  # type: ignore[method-assign]
        for name, keys in OPENED_BY.items():
            acted.clear()
            seen: list[Screen[Any]] = []
            app.screen_change_signal.subscribe(bench, seen.append, immediate=True)
            await burst(pilot, app, *keys, *EARLY)
            app.screen_change_signal.unsubscribe(bench)
            assert name in {type(screen).__name__ for screen in seen}, name
            on_bench = [action for where, action in acted if where is bench]
            assert len(on_bench) == (name != "HelpScreen"), (name, acted)
            assert app.workbench.bench.columns == columns, name
            screen = next(each for each in seen if type(each).__name__ == name)
            if isinstance(screen.focused, Input | TextArea) and screen is app.screen:
                written = screen.focused.value if isinstance(screen.focused, Input) else screen.focused.text
                assert "".join(EARLY) in written, name
            if isinstance(screen, DialogScreen) or name in ACCEPTED:
                accepting = [action for action in of_screen(screen) if "f10" in action.keys.split(",")]
                assert len(accepting) == 1, name
            await left(pilot, app)


async def test_dialogs_and_composers_show_the_key_that_accepts(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right")
        for name, keys in OPENED_BY.items():
            kind = next(each for each in classes() if each.__name__ == name)
            if not (issubclass(kind, DialogScreen) or name in ACCEPTED):
                continue
            await burst(pilot, app, *keys)
            await until(pilot, lambda kind=kind: isinstance(app.screen, kind))
            await until(pilot, lambda: any("F10" in key.key_display for key in app.screen.query(FooterKey)))
            await left(pilot, app)
