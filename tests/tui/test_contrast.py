"""Every theme as a terminal shows it: text and marks are told from what is behind them, and so is what is selected."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import ANSIToTruecolor
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from alignbench.tui.app import BenchApp
from alignbench.tui.contrast import MARK, TEXT, contrast
from alignbench.tui.themes import DARK, HOUSE
from tests.support.app import SMALL, make_app, ready, sampled
from tests.support.fakes import LetterEmbedder, ScoringPool

SCREENS = {
    "the Bench": (),
    "prompts": ("f2", "down"),
    "a condition": ("f3", "down"),
    "examples": ("right", "f4"),
    "a hint": ("right", "f6"),
    "scores": ("f7", "down"),
    "recovery": ("f7", "2"),
    "spread": ("f7", "3"),
    "answers": ("f7", "4"),
    "sessions": ("f8",),
    "a search": ("f8", "slash", "t", "e", "a"),
    "an export": ("f8", "x"),
    "an audit": ("f9",),
    "a sample": ("enter",),
    "shared words": ("enter", "2"),
    "token shift": ("right", "enter", "4"),
    "a ledger": ("right", "g"),
    "findings": ("I",),
    "diversity": ("I", "2"),
    "help": ("f1",),
    "an editor": ("e",),
    "notes": ("n",),
    "the palette": ("ctrl+p",),
}
FEW = ("the Bench", "prompts")  # in every theme
THEMES = [*HOUSE, *BUILTIN_THEMES.values()]
MARKS = range(0x2500, 0x25A0)  # lines and blocks


def shown(app: App[Any]) -> Iterator[tuple[int, Segment, Color, Color]]:
    """Every piece of the screen: its line, and the colours of text and ground as a terminal would show them."""
    terminal = app.ansi_theme
    resolve = ANSIToTruecolor(terminal)
    default = Style.parse("default on default")
    behind = app.screen.styles.background.rich_color

    @cache
    def colours(of: Style | None) -> tuple[Color, Color]:
        style = resolve.truecolor_style(default + (of or Style()), behind)
        assert style.color is not None
        assert style.bgcolor is not None
        text, ground = (Color.from_rich_color(c, ansi=False) for c in (style.color, style.bgcolor))
        return (ground, text) if style.reverse else (text, ground)

    for y, strip in enumerate(app.screen._compositor.render_strips()):
        for segment in strip:
            yield y, segment, *colours(segment.style)


_contrast = cache(contrast)  # of few pairs of colours, in many pieces


def faults(app: App[Any]) -> list[str]:
    """What cannot be told from what is behind it."""
    found = []
    for y, segment, text, ground in shown(app):
        if not segment.text.strip():
            continue
        least = MARK if all(ord(char) in MARKS or char.isspace() for char in segment.text) else TEXT
        if (is_ := _contrast(text, ground)) < least:
            found.append(f"line {y}: {segment.text.strip()[:40]!r} {text.hex} on {ground.hex} is {is_:.2f}")
    return found


async def open_by_keys(pilot: Pilot[Any], app: BenchApp, keys: tuple[str, ...]) -> None:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app.clear_notifications()
    await pilot.pause()


async def leave(pilot: Pilot[Any], app: BenchApp) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()
    app.workbench.bench.select(0)
    app.workbench.changed()
    await pilot.pause()


async def test_all_that_is_drawn_can_be_read_in_every_theme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(tmp_path / "x.db", ScoringPool(), LetterEmbedder())
    found = []
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        for screen, keys in SCREENS.items():
            await open_by_keys(pilot, app, keys)
            for theme in THEMES if screen in FEW else (DARK,):
                app.theme = theme.name
                await pilot.pause()
                found += [f"{screen}, {theme.name}, {fault}" for fault in faults(app)]
            app.theme = DARK.name
            await leave(pilot, app)
    assert not found, "\n".join(found)


async def test_what_is_selected_is_told_from_its_ground_in_every_theme(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await open_by_keys(pilot, app, SCREENS["prompts"])
        for theme in THEMES:
            app.theme = theme.name
            await pilot.pause()
            behind = {y: ground for y, segment, _, ground in shown(app) if "do people keep diaries" in segment.text}
            cursor = [ground for _, segment, _, ground in shown(app) if "What are some good ways" in segment.text]
            assert contrast(cursor[0], behind[max(behind)]) >= MARK, theme.name
