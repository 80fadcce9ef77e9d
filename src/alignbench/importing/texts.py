"""Texts to be read by models, from a file.

- .jsonl: one object a line: {"text": "..."}, perhaps with "id" (or "prompt_id") and the "prompt" that it responds to,
  or its "messages". The output of `alignbench sample --json` is such a file; errors and its line of scores are left out
- .csv: a header with a column `text`, and the same names
- .txt: paragraphs, with blank lines between them
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignbench.csv_files import read_csv_table
from alignbench.errors import InputError
from alignbench.prompt_fields import from_cells, messages_beside, messages_of
from alignbench.spec import Prompt
from alignbench.textfiles import json_lines, json_type, read_utf8, writable

_FIELDS = ("text", "prompt", "prompt_id", "id", "messages")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


@dataclass(frozen=True, slots=True)
class GivenText:
    """A text from a file.

    Attributes:
        id: as the file gives it, else where it stands: `line 3`
        text: as it stands in the file
        prompt: what it responds to; None for a text by itself
    """

    id: str
    text: str
    prompt: Prompt | None = None


@dataclass(frozen=True, slots=True)
class GivenTexts:
    """The texts of a file, in its order. empty: those without a character, which are left out."""

    texts: tuple[GivenText, ...]
    empty: int = 0


def read_texts(path: Path) -> GivenTexts:
    """The texts of a file. InputError, naming file, line and field, for one that is not as the module describes it."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file ({', '.join(_READERS)}).")
    if (read := _READERS.get(path.suffix.lower())) is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(_READERS)}.")
    texts = [*read(path)]
    said = tuple(each for each in texts if each.text.strip())
    if not said:
        raise InputError(f"{path} holds no texts.")
    return GivenTexts(said, len(texts) - len(said))


def _from_jsonl(path: Path) -> Iterator[GivenText]:
    for line, row in json_lines(path, read_utf8(path), 'an object like {"text": "..."}'):
        if row.keys() != {"scores"} and row.get("status", "done") == "done":
            yield _text_of(row, path, line)


def _from_csv(path: Path) -> Iterator[GivenText]:
    for row in read_csv_table(path, _FIELDS, [("text",)]).rows:
        there = {name: cell for name, cell in row.cells.items() if cell or name == "text"}
        yield _text_of(there | from_cells(row.cells, f"{path}, line {row.line}"), path, row.line)


def _from_txt(path: Path) -> Iterator[GivenText]:
    line = 1
    text = read_utf8(path).replace("\r\n", "\n").replace("\r", "\n")
    for paragraph, gap in _paragraphs(text):
        if paragraph.strip():
            before = len(paragraph) - len(paragraph.lstrip("\n"))
            yield GivenText(f"line {line + before}", paragraph.strip("\n"))
        line += (paragraph + gap).count("\n")


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each paragraph with the blank lines that follow it."""
    at = 0
    for gap in _BLANK_LINES.finditer(text):
        yield text[at : gap.start()], gap[0]
        at = gap.end()
    yield text[at:], ""


def _text_of(row: Mapping[str, Any], path: Path, line: int) -> GivenText:
    where = f"{path}, line {line}"
    if "text" not in row:
        raise InputError(f'{where}, field "text": missing; expected {{"text": "..."}}.')
    text = _readable(row, "text", where)
    id = row.get("id", row.get("prompt_id"))
    return GivenText(f"line {line}" if id is None else str(id), text, _prompt(row, where))


def _prompt(row: Mapping[str, Any], where: str) -> Prompt | None:
    if row.get("prompt") is not None:
        prompt = _readable(row, "prompt", where).strip()
        return Prompt.typed(prompt, messages_beside(row, prompt, where)) if prompt else None
    if row.get("messages") is None:
        return None
    *earlier, last = messages_of(row, where)
    return Prompt.typed(last.content, tuple(earlier))


def _readable(row: Mapping[str, Any], field: str, where: str) -> str:
    value = row[field]
    if not isinstance(value, str):
        raise InputError(f'{where}, field "{field}": {json_type(value)}; expected a text.')
    return writable(value, f'{where}, field "{field}"')


_READERS = {".jsonl": _from_jsonl, ".csv": _from_csv, ".txt": _from_txt}
