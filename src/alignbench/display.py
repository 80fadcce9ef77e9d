"""Text of a model or a user, made safe to show: what cannot be seen becomes visible, nothing acts on the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_SHORT = 24  # cells of a table up to this many characters stay on one line on a terminal too
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Control pictures for C0 but newline and tab; escapes for what has no picture.
_TABLE = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
_TABLE[0x7F] = "\u2421"
_CODES = {picture: code for code, picture in _TABLE.items()}
_PICTURE = re.compile(f"[{''.join(_CODES)}]")
_TABLE.update(
    (code, _escape(code))
    for span in (
        range(0x80, 0xA0),  # C1
        (0xAD, 0x034F, 0x061C, 0x180E),  # soft hyphen, grapheme joiner, Arabic letter mark, vowel separator
        range(0x200B, 0x2010),  # zero-width space and joiners, left-to-right and right-to-left marks
        range(0x2028, 0x202F),  # line and paragraph separators, bidi embeddings and overrides
        range(0x2060, 0x2070),  # word joiner, invisible operators, bidi isolates
        range(0xD800, 0xE000),  # lone surrogates
        (0xFEFF,),  # byte order mark
        range(0xFFF9, 0xFFFC),  # interlinear annotation
        range(0xE0000, 0xE0080),  # tags
    )
    for code in span
)


def visible(text: str) -> str:
    r"""A text in which every character can be seen and does nothing: newline and tab stay, text stays text.

    C0 controls and DEL become control pictures (ESC is ␛); C1 controls, bidi controls and isolates, zero-width
    characters, line separators and lone surrogates become escapes such as \u202e. For showing only: the original
    cannot be told from a text that holds such an escape.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_TABLE)


def escaped(text: str) -> str:
    r"""The same where fonts have no control pictures: these are escapes too, ESC is \u001b."""
    return _PICTURE.sub(lambda match: _escape(_CODES[match[0]]), visible(text))


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, fold: bool = False) -> Table:
    """Rows under a header, if a column has a name; line breaks and tabs become spaces, and long cells fold where there
    is no room. fold: short ones too. What is in a cell is data: never markup."""
    from rich.table import Table
    from rich.text import Text

    header, *cells = [[" ".join(visible(cell).split()) for cell in row] for row in (columns, *rows)]
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for i, column in enumerate(header):
        short = all(len(row[i]) <= _SHORT for row in cells)
        table.add_column(Text(column), overflow="fold", no_wrap=short and not fold)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def spreadsheet_cell(text: str) -> str:
    """A text for a cell of a CSV file: no spreadsheet takes it for a formula, and it can be written as UTF-8.

    What begins with =, +, -, @, tab or carriage return, or with apostrophes before one of these, gets an apostrophe in
    front, which `from_spreadsheet_cell` takes away again. Halves of surrogate pairs become escapes, and stay so.
    """
    plain = text.encode("utf-8", "backslashreplace").decode()
    return f"'{plain}" if _FORMULA.match(plain) else plain


def from_spreadsheet_cell(cell: str) -> str:
    """The text that `spreadsheet_cell` was given; an apostrophe before anything else is part of the text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def whole_characters(text: str) -> str:
    """A text for programs that take no halves of surrogate pairs: U+FFFD stands for each."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
