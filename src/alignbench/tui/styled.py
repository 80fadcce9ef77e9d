"""Text for widgets: data that is no markup, headings, what stands in the background, wrapped sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import TypeVar

from textual.content import Content

from alignbench.tui.clickable import clickable
from alignbench.tui.text import printable
from alignbench.tui.wrap import WrappedText

ViewT = TypeVar("ViewT", bound=str)
DIM = "$text-muted"
SELECTED = "bold $block-cursor-foreground on $block-cursor-background"
"""Of what is selected, the same everywhere. Nothing in it has a colour of its own: see `selected`."""


def plain(text: str) -> Content:
    """Data as content for a widget; nothing in it is markup."""
    return Content(printable(text))


def heading(text: str) -> Content:
    return Content.styled(text, "bold")


def faint(text: str) -> Content:
    return Content.styled(text, DIM)


def hue(column: int) -> str:
    """The colour of a column, by its place: of its letter, its bars, its marks and its figures."""
    return f"$column-{ascii_lowercase[column % len(ascii_lowercase)]}"


def hue_of(sign: str) -> str:
    """The same by its letter, which a star or the number of a version may follow."""
    letters = [char for char in sign.upper() if char in ascii_uppercase]
    return hue(ascii_uppercase.index(letters[-1])) if letters else DIM


def in_hue(text: str, column: int) -> Content:
    """A column's letter, or what else names it, in its colour."""
    return Content.styled(text, f"bold {hue(column)}")


def selected(content: Content) -> Content:
    """The same as what is selected."""
    return Content.styled(content.plain, SELECTED)


def tabs(titles: Mapping[ViewT, str], shown: ViewT, room: int = 0) -> Content:
    """Views with the numbers that show them, as a click does too.

    titles: by view, as its action calls it: `view_table`. shown: the view on the screen. room: cells, 0 for any number;
    where they are too few, a space stands between two views in the place of two.
    """
    pad = " " if not room or sum(len(title) + 4 for title in titles.values()) <= room else ""
    parts = [
        clickable(f"{pad}{at} {title}{pad}", f"view_{view}", SELECTED if view == shown else DIM)
        for at, (view, title) in enumerate(titles.items(), start=1)
    ]
    return Content("" if pad else " ").join(parts)


def notes(texts: Iterable[str], width: int) -> list[Content]:
    """Sentences below a view, wrapped."""
    wrapped = [WrappedText(width - 2, text) for text in texts]
    return [faint(f" {text[i]}") for text in wrapped for i in range(len(text))]


def paragraphs(texts: Iterable[str], width: int, mark: str = "", style: str = "") -> list[Content]:
    """Wrapped texts, a line each.

    Args:
        texts: The texts.
        width: Cells of a line.
        mark: Before the first line of each; the others are indented by as much.
        style: Of all lines.
    """
    lines = []
    for text in texts:
        wrapped = WrappedText(max(10, width - len(mark) - 2), text)
        for i in range(len(wrapped)):
            lines.append(Content.styled(f" {mark if i == 0 else ' ' * len(mark)}{wrapped[i]}", style))
    return lines
