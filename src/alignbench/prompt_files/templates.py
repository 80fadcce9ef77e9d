"""Variables in prompts: `{{ name }}`, filled in from the rows of a CSV file; every row makes a prompt.

A prompt is a Jinja template where a file of values is given, and is text, braces and all, where none is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from alignbench.contexts.templates import render_template, template_names
from alignbench.csv_files import CsvRow, stream_csv
from alignbench.errors import InputError, did_you_mean
from alignbench.prompt_parts import Filled, Turn
from alignbench.spec import Prompt

ID = "id"  # the column that names a row
_BATCH = 200  # rows rendered at a time
_SHOWN = 60  # characters of a prompt in a message


@dataclass(frozen=True, slots=True)
class _Template:
    """A prompt with variables. texts: its messages, the text last."""

    prompt: Prompt
    texts: tuple[str, ...]
    names: frozenset[str]


def filled(prompts: Iterable[Prompt], values: Path) -> list[Prompt]:
    """The prompts with their variables filled in: one with variables once for each row of the values, its id with `#`
    and the row's, from 1 where it has none; others are left as they are.

    Raises InputError, naming file, line and field, for a variable without a column, a column without a variable, values
    that make an empty prompt or one that is there already, and where no prompt has a variable.
    """
    given = [*prompts]
    templates = [_template(prompt) for prompt in given]
    rows = [*_rows(values)]
    columns = [name for name in rows[0].cells if name != ID]
    _check_columns(values, [each for each in templates if each is not None], columns)
    names = _row_ids(values, rows)
    made: dict[str, int] = {}
    out: list[Prompt] = []
    for prompt, template in zip(given, templates, strict=True):
        of = [prompt] if template is None else _of_rows(template, rows, names, values)
        for each, row in zip(of, rows if template else [None], strict=True):
            if each.id in made:
                where = f"{values}, line {row.line}: " if row else ""
                raise InputError(f"{where}the prompt {each.id!r} is there twice; expected each id once.")
            made[each.id] = 1
            out.append(each)
    return out


def _template(prompt: Prompt) -> _Template | None:
    texts = (*(turn.content for turn in prompt.earlier), prompt.text)
    if not any("{{" in text or "{%" in text for text in texts):
        return None
    called = f"The prompt {_called(prompt)}"
    names = template_names("\n".join(texts), called=called)
    if not names:
        return None
    if prompt.rung is not None or (prompt.answers is not None and prompt.answers.paraphrase_of):
        raise InputError(f"{called} has variables, and constraints or paraphrase_of; expected one of them.")
    return _Template(prompt, texts, frozenset(names))


def _called(prompt: Prompt) -> str:
    """A prompt in messages: by its id, one that was typed by how it begins."""
    text = prompt.text if len(prompt.text) <= _SHOWN else f"{prompt.text[:_SHOWN]}..."
    return repr(prompt.id if prompt.is_named else text)


def _rows(values: Path) -> Iterator[CsvRow]:
    rows = stream_csv(values, (), ()).rows
    first = next(rows, None)
    if first is None:
        raise InputError(f"{values} holds no values; expected a header with names of variables, and rows below it.")
    yield first
    yield from rows


def _check_columns(values: Path, templates: Sequence[_Template], columns: Sequence[str]) -> None:
    if not templates:
        raise InputError(f"{values}: no prompt has a variable to fill in; expected one with {{{{ {columns[0]} }}}}.")
    for template in templates:
        if missing := sorted(name for name in template.names if name.casefold() not in columns):
            near = did_you_mean(missing[0], columns)
            called = f"{values}, line 1: the prompt {_called(template.prompt)}"
            raise InputError(f"{called} has the variable {missing[0]!r}, and there is no such column. {near}".rstrip())
    used = {name.casefold() for template in templates for name in template.names}
    if unused := [name for name in columns if name not in used]:
        near = did_you_mean(unused[0], sorted(used))
        raise InputError(
            f"{values}, line 1: no prompt uses the column {unused[0]!r}; expected a variable, or no such column. {near}"
        )


def _row_ids(values: Path, rows: Sequence[CsvRow]) -> list[str]:
    names: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        name = row.cells.get(ID, "").strip() or str(number)
        if name in names:
            raise InputError(
                f"{values}, line {row.line}: id {name!r} is already on line {names[name]}; expected it once."
            )
        names[name] = row.line
    return [*names]


def _of_rows(template: _Template, rows: Sequence[CsvRow], names: Sequence[str], values: Path) -> Iterator[Prompt]:
    prompt, pairs = template.prompt, iter(zip(rows, names, strict=True))
    while batch := [*islice(pairs, _BATCH)]:
        given = [{name: row.cells[name.casefold()].strip() for name in template.names} for row, _ in batch]
        called = (
            f"The prompt {_called(prompt)}, filled in from {values}, lines {batch[0][0].line} to {batch[-1][0].line},"
        )
        texts = [render_template(text, given, layout=True, called=called) for text in template.texts]
        for at, (row, name) in enumerate(batch):
            *before, text = (rendered[at].strip() for rendered in texts)
            if not text or not all(before):
                raise InputError(f"{values}, line {row.line}: the prompt {_called(prompt)} is empty with these values.")
            yield replace(
                prompt,
                id=f"{prompt.id}#{name}",
                text=text,
                earlier=tuple(Turn(turn.role, said) for turn, said in zip(prompt.earlier, before, strict=True)),
                filled=Filled(prompt.id, prompt.text, tuple(sorted(given[at].items()))),
            )
