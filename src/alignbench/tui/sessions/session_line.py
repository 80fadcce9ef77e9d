"""A session on a line of the list."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from textual.content import Content

from alignbench.tui.sizes import NARROW
from alignbench.tui.text import fitted, one_line

if TYPE_CHECKING:
    from alignbench.store import SessionInfo

HEADS = ("", "id", "name", "began", "samples", "prompts", "models")


def session_line(info: SessionInfo, width: int, *, open: bool, marked: bool) -> Content:
    """One session of the list.

    Args:
        info: The session.
        width: Cells of the line.
        open: Whether it is the one on the Bench.
        marked: Whether it is marked, to be merged or compared.
    """
    cells = (
        ("▶" if open else " ") + ("●" if marked else ""),
        str(info.id),
        "  ".join((one_line(info.name), *(f"#{one_line(tag)}" for tag in info.tags))),
        info.created[:16].replace("T", " "),
        f"{info.n_samples}" + (f" +{info.n_errors}✗" if info.n_errors else ""),
        str(info.n_prompts),
        ", ".join(info.models),
    )
    return fitted_cells(cells, width)


def fitted_cells(cells: Collection[str], width: int) -> Content:
    """Cells as wide as their columns, numbers to the right; models only where there is room."""
    models_room = 24 if width >= NARROW else 0
    room = max(16, width - 48 - models_room)
    widths = (2, 4, room, 16, 11, 7, models_room)
    rights = (False, True, False, False, True, True, False)
    texts = []
    for text, size, right in zip(cells, widths, rights, strict=True):
        if size:
            flat = one_line(text, size) if size > 2 else text
            texts.append(f"{flat:>{size}}" if right else fitted(flat, size))
    return Content(" ".join(texts))
