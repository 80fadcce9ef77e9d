"""Data on its way to the screen: never markup, no control characters, one style for numbers."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size, split_graphemes

from alignbench.display import visible
from alignbench.reports import numbers
from alignbench.reports.numbers import DIGITS
from alignbench.spec import Prompt

TAB = "    "


def printable(text: str) -> str:
    """Text that a terminal shows as it is: control and bidi characters are visible escapes, tabs are spaces."""
    return visible(text).replace("\t", TAB)


def cells(text: str) -> int:
    """How many cells of a terminal a text takes, as Textual counts them: of whole graphemes, such as an emoji with its
    variation selector."""
    return cell_len(text)


def whole_graphemes(text: str, first: int, last: int) -> tuple[int, int]:
    """A part of a text, as large as it takes to cut no grapheme; empty where it is none of the text."""
    first, last = max(0, min(first, len(text))), max(0, min(last, len(text)))
    if not text.isascii():
        for begin, end, _ in split_graphemes(text)[0]:
            first = begin if begin < first < end else first
            last = end if begin < last < end else last
    return first, max(first, last)


def raw_part(text: str, first: int, last: int | None) -> str:
    """The part of a text that is shown as `printable(text)[first:last]`; None: to its end."""
    shown = printable(text)
    first, last = whole_graphemes(shown, first, len(shown) if last is None else last)
    if shown == text:
        return text[first:last]
    part, at = [], 0
    for character in text:
        begin, at = at, at + len(printable(character))
        if at > first and begin < last:
            part.append(character)
    return "".join(part)


def char_at(text: str, cell: int) -> int:
    """Which character of a text of one line is in a cell; the text's length beyond its end."""
    used = 0
    for begin, _, width in split_graphemes(text)[0]:
        used += width
        if used > cell:
            return begin
    return len(text)


def one_line(text: str, width: int = 0) -> str:
    """The same on one line, in at most `width` cells (0: any number)."""
    flat = printable(" ".join(text[: 8 * width + 16].split()) if width else " ".join(text.split()))
    return cut(flat, width) if width else flat


def before_it(prompt: Prompt, *, briefly: bool = False) -> str:
    """How many messages come before a prompt, on a line; and what they are, unless briefly."""
    n = len(prompt.earlier)
    counted = f"after {n} message{'' if n == 1 else 's'}"
    return (
        counted
        if briefly
        else f"{counted}: " + " · ".join(f"{turn.role}: {one_line(turn.content)}" for turn in prompt.earlier)
    )


def cut(text: str, width: int) -> str:
    """A text of one line in at most `width` cells, with an ellipsis where it is cut; its spaces stay."""
    if cells(text) <= width:
        return text
    return f"{start(text, width - 1)}…" if width > 0 else ""


def start(text: str, width: int) -> str:
    """The beginning of a text of one line, at most `width` cells."""
    return set_cell_size(text, max(0, width)) if cells(text) > width else text


def end(text: str, width: int) -> str:
    """The end of a text of one line, at most `width` cells."""
    spans, total = split_graphemes(text)
    at = 0
    while total > max(0, width):
        total -= spans[at][2]
        at += 1
    return text[spans[at][0] :] if at < len(spans) else ""


def middle_cut(text: str, width: int) -> str:
    """A name on one line in at most `width` cells; where it is cut, its beginning and its end stay."""
    flat = one_line(text)
    if cells(flat) <= width:
        return flat
    tail = (width - 1) // 2
    return f"{start(flat, width - 1 - tail)}…{end(flat, tail)}" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """A text of one line filled up with spaces to `width` cells; a longer one stays."""
    return text + " " * (width - cells(text))


def fitted(text: str, width: int) -> str:
    """The same on one line in exactly `width` cells: filled up with spaces, or cut with an ellipsis."""
    return set_cell_size(one_line(text, width), width) if width > 0 else ""


def number(value: float, digits: int = DIGITS, *, sign: bool = False) -> str:
    """As in a report, without the leading zero: .714, 1.000, -.050, 14.8."""
    text = numbers.number(value, digits, sign=sign)
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: 00:14, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def about(seconds: float) -> str:
    """How long something takes, roughly: ~40 s, ~4 min, ~2 h 10 min."""
    if seconds < 59.5:
        return f"~{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"~{hours} h {minutes} min" if hours else f"~{minutes} min"


def count(n: int, what: str) -> str:
    """1 sample, 2 samples."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def bar(fraction: float, width: int) -> str:
    """A bar of blocks."""
    full = round(max(0.0, min(1.0, fraction)) * width)
    return "█" * full + "░" * (width - full)
