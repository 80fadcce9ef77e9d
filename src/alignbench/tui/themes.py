"""The themes of the house, and what it makes of every theme: colours that can be read, and a hue for every column.

The frame of the app is in two tones. A hue says which column something belongs to; orange says that something is to be
minded, whatever a theme's own accent is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_lowercase

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

from alignbench.tui.contrast import MARK, TEXT, contrast, in_terminal, near, raised

DARK = Theme(
    "alignbench-dark",
    primary="#84cdbb",
    warning="#f29b4b",
    error="#f27a76",
    success="#84cdbb",
    foreground="#dedad0",
    background="#14181d",
    surface="#191e25",
    panel="#1f262e",
)
LIGHT = Theme(
    "alignbench-light",
    primary="#17695d",
    warning="#a84a00",
    error="#b02a37",
    success="#17695d",
    foreground="#262b31",
    background="#f8f5ee",
    surface="#f2eee4",
    panel="#eae5d8",
    dark=False,
)
HOUSE = (DARK, LIGHT)

HUES = ("#82aaf0", "#e08fc4", "#9fc866", "#b79cf5", "#6cc9e8", "#d3c866")
"""Of the columns A, B, C, ..., then again from the first: none that a warning or an error has."""
_ANSI_HUES = tuple(
    f"ansi_{name}"
    for name in ("blue", "magenta", "green", "cyan", "bright_blue", "bright_magenta", "bright_green", "bright_cyan")
)
_ANSI_GREYS = ("ansi_bright_black", "ansi_white", "ansi_black", "ansi_default")
_MOST_RAISED = 1.3  # contrast of surfaces and panels on the background
_QUIET, _FAINT = 0.4, 0.6  # how much of the background is in quiet text and in a border without focus


def legible(variables: Mapping[str, str], terminal: TerminalTheme | None) -> dict[str, str]:
    """The variables of a theme, changed where what is drawn with them could not be read, and those of the house.

    Args:
        variables: Textual's, of any theme.
        terminal: What the terminal's own colours look like, for a theme that is made of them.
    """
    own = _of_colours(variables) if terminal is None else _of_terminal(variables, terminal)
    return {**variables, **own}


def _of_colours(variables: Mapping[str, str]) -> dict[str, str]:
    theirs = {name: Color.parse(variables[name]) for name in ("primary", "warning", "error", "success", "foreground")}
    background = Color.parse(variables["background"])
    surface, panel = (near(background + Color.parse(variables[name]), background, _MOST_RAISED) for name in _RAISED)
    grounds = (background, surface, panel)

    def text(colour: Color) -> str:
        return raised(colour, grounds, TEXT).hex

    def mark(colour: Color) -> str:
        return raised(colour, grounds, MARK).hex

    foreground = text(theirs["foreground"])
    cursor = Color.parse(mark(theirs["primary"]))
    on_cursor = raised(max((background, Color.parse(foreground)), key=lambda c: contrast(c, cursor)), (cursor,), TEXT)
    colours = {name: (mark(theirs[name]), text(theirs[name])) for name in _MEANINGS}
    return {
        "background": background.hex,
        "surface": surface.hex,
        "panel": panel.hex,
        **_frame(
            foreground,
            quiet=text(theirs["foreground"].blend(background, _QUIET, 1.0)),
            faint=mark(theirs["foreground"].blend(background, _FAINT, 1.0)),
            ground=background.hex,
            footer=panel.hex,
            cursor=(cursor.hex, on_cursor.hex),
            colours=colours,
        ),
        **dict(_columns([text(Color.parse(hue)) for hue in HUES])),
    }


def _of_terminal(variables: Mapping[str, str], terminal: TerminalTheme) -> dict[str, str]:
    ground = in_terminal(Color.parse("ansi_default"), terminal, foreground=False)

    def seen(name: str) -> Color:
        return in_terminal(Color.parse(name), terminal)

    def first(names: Sequence[str], least: float) -> str:
        return next((name for name in names if contrast(seen(name), ground) >= least), "ansi_default")

    def meaning(name: str) -> tuple[str, str]:
        own = variables[name]
        others = (own, own.replace("bright_", ""), _ANSI_MEANINGS[name])
        return first(others, MARK), first(others, TEXT)

    hues = {seen(name).hex: name for name in reversed(_ANSI_HUES) if contrast(seen(name), ground) >= TEXT}
    cursor = first((variables["block-cursor-background"], *_ANSI_HUES), MARK)
    on_cursor = max(_ANSI_ON_CURSOR, key=lambda name: contrast(seen(name), seen(cursor)))
    return _frame(
        "ansi_default",
        quiet=first(_ANSI_GREYS, TEXT),
        faint=first(_ANSI_GREYS, MARK),
        ground="ansi_default",
        footer="ansi_default",
        cursor=(cursor, on_cursor),
        colours={name: meaning(name) for name in _MEANINGS},
    ) | dict(_columns(list(reversed(hues.values()))))


_RAISED = ("surface", "panel")
_MEANINGS = ("primary", "warning", "error", "success")
_ANSI_MEANINGS = {"primary": "ansi_blue", "warning": "ansi_red", "error": "ansi_red", "success": "ansi_green"}
_ANSI_ON_CURSOR = ("ansi_black", "ansi_bright_white")


def _frame(
    foreground: str,
    *,
    quiet: str,
    faint: str,
    ground: str,
    footer: str,
    cursor: tuple[str, str],
    colours: Mapping[str, tuple[str, str]],
) -> dict[str, str]:
    """What Textual's widgets and ours draw with.

    Args:
        foreground: Of text.
        quiet: Of text in the background.
        faint: Of borders without focus.
        ground: Behind text.
        footer: Behind keys.
        cursor: What is selected: its ground, and text on it.
        colours: By what they mean, as a mark and as text.
    """
    primary_mark, primary = colours["primary"]
    block, on_block = cursor
    return {
        **{name: mark for name, (mark, _) in colours.items()},
        **{f"text-{name}": text for name, (_, text) in colours.items()},
        "accent": primary_mark,
        "secondary": primary_mark,
        "text-accent": primary,
        "text-secondary": primary,
        "text": foreground,
        **dict.fromkeys(("text-muted", "text-disabled", "foreground-muted", "foreground-disabled"), quiet),
        "foreground": foreground,
        "border": primary_mark,
        "border-blurred": faint,
        **{f"block-cursor{when}-background": block for when in ("", "-blurred")},
        **{f"block-cursor{when}-foreground": on_block for when in ("", "-blurred")},
        **{f"block-cursor{when}-text-style": "bold" for when in ("", "-blurred")},
        **{f"{what}-selection-background": block for what in ("input", "screen")},
        **{f"{what}-selection-foreground": on_block for what in ("input", "screen")},
        **{f"scrollbar{when}": primary_mark for when in ("-hover", "-active")},
        "scrollbar": faint,
        **{f"scrollbar-background{when}": ground for when in ("", "-hover", "-active")},
        "scrollbar-corner-color": ground,
        "footer-background": footer,
        "footer-foreground": foreground,
        "footer-key-foreground": primary,
        "footer-description-foreground": quiet,
    }


def _columns(hues: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`column-a` to `column-z`."""
    for at, letter in enumerate(ascii_lowercase):
        yield f"column-{letter}", hues[at % len(hues)]
