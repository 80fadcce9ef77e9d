"""Data on its way to the screen: never markup, no control characters, one style for numbers."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from alignbench.display import visible

TAB = "    "


def printable(text: str) -> str:
    """Text that a terminal shows as it is: control and bidi characters are visible escapes, tabs are spaces."""
    return visible(text).replace("\t", TAB)


def one_line(text: str, width: int = 0) -> str:
    """The same on one line, at most `width` characters (0: any number)."""
    flat = printable(" ".join(text[: 4 * width + 4].split()) if width else " ".join(text.split()))
    return f"{flat[: width - 1]}…" if width and len(flat) > width else flat


def fitted(text: str, width: int) -> str:
    """The same in exactly `width` cells: filled up with spaces, or cut with an ellipsis."""
    flat = one_line(text, width + 1)
    return set_cell_size(flat, width) if cell_len(flat) <= width else f"{set_cell_size(flat, max(0, width - 1))}…"


def number(value: float, digits: int = 2) -> str:
    """A score without its leading zero: .71, 1.00, -.05."""
    value = round(value, digits) + 0.0  # no negative zero
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: 00:14, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def count(n: int, what: str) -> str:
    """1 sample, 2 samples."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def bar(fraction: float, width: int) -> str:
    """A bar of blocks."""
    full = round(max(0.0, min(1.0, fraction)) * width)
    return "█" * full + "░" * (width - full)
