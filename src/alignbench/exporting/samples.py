"""A session's samples for other programs: JSON lines and CSV that `alignbench import` reads."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from alignbench.answer_fields import FIELDS
from alignbench.display import spreadsheet_cell
from alignbench.errors import InputError, did_you_mean
from alignbench.json_text import json_text
from alignbench.output_files import check_output, text_output
from alignbench.prompt_fields import prompt_json
from alignbench.spec import Prompt
from alignbench.store import Store

COLUMNS = ("prompt_id", "prompt", "condition", "kind", "model", "sample", "seed", "status", "text", "finish_reason",
           "n_prompt_tokens", "n_tokens", "seconds", "logprob", "probability", "error", "thinking", "n_thinking_tokens",
           "refused", "note")  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples of a session: of these conditions and of these prompt ids, of all where none is named."""

    conditions: Collection[str] = ()
    prompts: Collection[str] = ()


EVERYTHING = SampleFilter()


def sample_rows(store: Store, session: int, selection: SampleFilter = EVERYTHING) -> Iterator[dict[str, Any]]:
    """Selected samples of a session, errors and cancelled ones too, by cell and index; never all in memory.

    InputError where the session has no condition or prompt of a name that is selected.
    """
    known_names(store, session, selection)
    kinds: dict[str, str] = {condition.name: condition.model.kind for condition in store.conditions(session)}
    return _selected_rows(store, session, selection, kinds)


def known_names(store: Store, session: int, selection: SampleFilter) -> None:
    """InputError where the session has no condition or prompt of a name that is selected."""
    _known("condition", selection.conditions, [condition.name for condition in store.conditions(session)])
    _known("prompt", selection.prompts, [prompt.id for prompt in store.prompts(session)])


def _selected_rows(
    store: Store, session: int, selection: SampleFilter, kinds: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    prompts = {prompt.id: prompt for prompt in store.prompts(session)}
    parts = _parts(prompts.values())
    for cell in store.cells(session):
        if selection.conditions and cell.condition not in selection.conditions:
            continue
        if selection.prompts and cell.prompt_id not in selection.prompts:
            continue
        for row in store.samples(session, cell_id=cell.id):
            told = {name: kinds[row.condition] if name == "kind" else getattr(row, name) for name in COLUMNS}
            known = _part_values(prompts.get(row.prompt_id))
            yield told | {name: known.get(name) for name in parts}


def _parts(prompts: Iterable[Prompt]) -> tuple[str, ...]:
    """What a session tells of its prompts besides: of survey questions, conversations, rungs, filled-in variables."""
    there = [*prompts]
    return (
        *(FIELDS if any(prompt.answers for prompt in there) else ()),
        *(("messages",) if any(prompt.earlier for prompt in there) else ()),
        *(("rung",) if any(prompt.rung for prompt in there) else ()),
        *(("filled",) if any(prompt.filled for prompt in there) else ()),
    )


def _part_values(prompt: Prompt | None) -> dict[str, Any]:
    if prompt is None:
        return {}
    return prompt_json(prompt)


def write_jsonl(rows: Iterable[Mapping[str, Any]], out: IO[str]) -> None:
    """Rows as JSON lines in ASCII, so that texts with halves of surrogate pairs come through."""
    for row in rows:
        out.write(json_text(row) + "\n")


def write_csv(rows: Iterable[Mapping[str, Any]], out: IO[str]) -> None:
    """Safe to open in a spreadsheet: no text is taken for a formula. `importing.spreadsheets` reads it."""
    writer = csv.writer(out)  # whose line end, CRLF, also decides that a lone CR is quoted
    columns: Collection[str] = ()
    for row in rows:
        if not columns:
            writer.writerow(columns := [*row])
        writer.writerow([*map(_cell, row.values())])
    if not columns:
        writer.writerow(COLUMNS)


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        value = json_text(value)
    return "" if value is None else spreadsheet_cell(value) if isinstance(value, str) else value


WRITERS: dict[str, Callable[[Iterable[Mapping[str, Any]], IO[str]], None]] = {".jsonl": write_jsonl, ".csv": write_csv}
"""Writers by the ending of a file."""


def export_file(store: Store, session: int, selection: SampleFilter, file: Path, ending: str) -> None:
    """Write selected samples to a file in the format of this ending, all of them or none; see `output_files.output`."""
    check_output(file)
    rows = sample_rows(store, session, selection)
    with text_output(file) as out:
        WRITERS[ending](rows, out)


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    there = [*known]
    for name in names:
        if name not in there:
            near = did_you_mean(name, there)
            raise InputError(f"The session has no {what} {name!r}. {near}".rstrip())
