"""What the page sends: keys, its size, and whether it has the focus."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.parsing import parse_json

MOST = 1000  # cells of a side


@dataclass(frozen=True, slots=True)
class TypedKeys:
    """What was typed, pasted or clicked, as a terminal would send it."""

    text: str


@dataclass(frozen=True, slots=True)
class Resized:
    """Cells of the terminal on the page, 1 to MOST a side."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Focused:
    """Whether the terminal on the page has the focus."""

    has_it: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """It wants to have its data back."""

    data: str


BrowserMessage = TypedKeys | Resized | Focused | Ping


def read_message(text: str) -> BrowserMessage | None:
    """A message; None for what is none."""
    try:
        message = parse_json(text)
    except ValueError:
        return None
    match message:
        case ["stdin", str(keys)]:
            return TypedKeys(keys)
        case ["resize", {"width": int(width), "height": int(height)}]:
            return Resized(*(min(max(int(side), 1), MOST) for side in (width, height)))
        case ["focus" | "blur" as kind, *_]:
            return Focused(kind == "focus")
        case ["ping", str(data)]:
            return Ping(data)
    return None


def read_side(text: str, otherwise: int) -> int:
    """Cells of a side, as the address of the websocket has it."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
    return min(max(number, 1), MOST)
