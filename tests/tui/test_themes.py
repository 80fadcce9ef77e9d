"""The colours that every theme gets, by themselves."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase

import pytest
from textual._ansi_theme import ALABASTER, MONOKAI
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from alignbench.paths import config_dir
from alignbench.tui.contrast import MARK, TEXT, contrast, in_terminal, near, raised
from alignbench.tui.preferences import kept_theme
from alignbench.tui.themes import HOUSE, legible
from tests.support.app import make_app, until

THEMES = [*HOUSE, *BUILTIN_THEMES.values()]
TEXTS = ("foreground", "text", "text-muted", "text-disabled", "footer-key-foreground", "footer-description-foreground")
MEANINGS = ("primary", "warning", "error", "success", "accent")
BLACK, WHITE, GREY = Color(0, 0, 0), Color(255, 255, 255), Color(119, 119, 119)


def seen(theme: Theme) -> dict[str, Color]:
    """The colours of a theme as a terminal shows them."""
    terminal = MONOKAI if theme.dark else ALABASTER
    variables = legible({**theme.to_color_system().generate(), **theme.variables}, terminal if theme.ansi else None)
    names = [*TEXTS, *MEANINGS, *(f"text-{name}" for name in MEANINGS), *(f"column-{c}" for c in ascii_lowercase)]
    names += ["border", "border-blurred", "scrollbar", "block-cursor-foreground"]
    grounds = ["background", "surface", "panel", "footer-background", "block-cursor-background"]
    colours = {name: in_terminal(Color.parse(variables[name]), terminal) for name in names}
    for name in grounds:
        ground = Color.parse(variables[name])
        opaque = Color.parse("ansi_default") if ground.is_transparent else ground
        colours[name] = in_terminal(opaque, terminal, foreground=False)
    return colours


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_every_theme_has(theme: Theme) -> None:
    colours = seen(theme)
    for ground in ("background", "surface", "panel", "footer-background"):
        behind = colours[ground]
        for name in (*TEXTS, *(f"text-{name}" for name in MEANINGS), *(f"column-{c}" for c in ascii_lowercase)):
            assert contrast(colours[name], behind) >= TEXT, (name, ground)
        for name in (*MEANINGS, "border", "border-blurred", "scrollbar", "block-cursor-background"):
            assert contrast(colours[name], behind) >= MARK, (name, ground)
    assert contrast(colours["block-cursor-foreground"], colours["block-cursor-background"]) >= TEXT


@pytest.mark.parametrize("theme", HOUSE, ids=lambda theme: theme.name)
def test_the_columns_of_the_house_have_six_hues_and_warnings_another(theme: Theme) -> None:
    colours = seen(theme)
    hues = [colours[f"column-{letter}"] for letter in "abcdef"]
    assert len(set(hues)) == 6
    assert colours["column-g"] == hues[0]
    assert not {colours["warning"], colours["error"]} & set(hues)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, GREY) == pytest.approx(4.48, abs=0.01)
    assert contrast(GREY, GREY) == 1


def test_a_colour_is_changed_as_little_as_is_enough() -> None:
    assert raised(BLACK, [WHITE], TEXT) == BLACK
    assert TEXT <= contrast(raised(GREY, [WHITE], TEXT), WHITE) < TEXT * 1.1
    blue = raised(Color.parse("#000080"), [BLACK], TEXT)
    assert contrast(blue, BLACK) >= TEXT
    assert blue.hsl.h == pytest.approx(Color.parse("#000080").hsl.h, abs=0.01)


def test_a_surface_stays_near_its_ground() -> None:
    assert contrast(near(WHITE, BLACK, 1.3), BLACK) <= 1.3
    assert near(Color(3, 3, 3), BLACK, 1.3) == Color(3, 3, 3)


async def test_the_theme_that_was_chosen_is_kept(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    assert app.theme == "alignbench-dark"
    async with app.run_test() as pilot:
        app.theme = "solarized-light"
        await until(pilot, lambda: kept_theme() == "solarized-light")
    assert make_app(tmp_path / "x.db").theme == "solarized-light"


@pytest.mark.parametrize("text", ["", "theme = 3", "theme = 'no such theme'", "theme =", "\0" * 20_000])
def test_a_file_of_preferences_that_says_nothing_is_as_none(tmp_path: Path, text: str) -> None:
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "app.toml").write_text(text)
    assert make_app(tmp_path / "x.db").theme == "alignbench-dark"
