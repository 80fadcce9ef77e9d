"""How well a colour is told from what is behind it, and the nearest shade of it that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.terminal_theme import TerminalTheme
from textual.color import Color

TEXT = 4.5  # least contrast of text, WCAG 2.2, 1.4.3
MARK = 3.0  # of borders, bars and cursors, WCAG 2.2, 1.4.11
_SAFE = 1.02  # a shade is written in 256 steps a channel
_HALVINGS = 7


@lru_cache(1024)
def luminance(colour: Color) -> float:
    """Relative luminance, 0 for black to 1 for white (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """From 1, no difference, to 21, black and white (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def least_contrast(colour: Color, grounds: Iterable[Color]) -> float:
    """That on the ground where it is worst."""
    return min(contrast(colour, ground) for ground in grounds)


def raised(colour: Color, grounds: Sequence[Color], least: float) -> Color:
    """The nearest shade, of the same hue, that has at least this contrast on all grounds, which are alike."""
    if least_contrast(colour, grounds) >= least:
        return colour
    hue, saturation, lightness = colour.hsl
    end = 1.0 if luminance(grounds[0]) < 0.18 else 0.0  # white and black differ as much from 0.18
    enough = end
    for _ in range(_HALVINGS):
        lightness_between = (lightness + enough) / 2
        if least_contrast(Color.from_hsl(hue, saturation, lightness_between), grounds) >= least * _SAFE:
            enough = lightness_between
        else:
            lightness = lightness_between
    return Color.from_hsl(hue, saturation, enough)


def near(colour: Color, ground: Color, most: float) -> Color:
    """The colour, or a mixture of it and the ground that has at most this contrast on it."""
    share = 1.0
    while share > 0 and contrast(mixed := ground.blend(colour, share, 1.0), ground) > most:
        share -= 0.1
    return mixed


def in_terminal(colour: Color, terminal: TerminalTheme, *, foreground: bool = True) -> Color:
    """What a terminal with this theme shows for a colour that it may have to look up."""
    if colour.ansi is None:
        return colour
    return Color(*colour.rich_color.get_truecolor(terminal, foreground=foreground))
