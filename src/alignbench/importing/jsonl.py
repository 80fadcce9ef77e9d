"""Responses from anywhere: JSONL rows {"prompt_id", "prompt", "condition", "text"}, as one session.

A row may say more: `kind` (base or aligned, aligned where it is left out), `finish_reason` (stop or length), `sample`,
its number among those of its prompt and condition, from 0, `thinking` (what the model thought before its answer),
`refused` (true of a refusal) and `note`; `seed`, `n_prompt_tokens`, `n_tokens`, `n_thinking_tokens`, `seconds` and
`logprob`; `options` and `groups` make its prompt a survey question, `messages` that end with it a conversation, `rung`
one of a ladder. A `status` that is not done makes it an error with the message of `error`. The output of
`alignbench sample --json` is such a file; its last line of scores is left out. Where rows do not number the samples of
a cell, or give one number twice, the n-th row is sample n. Rows with other fields are read by a map
(`importing.mapping`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.mapping import FieldMap
from alignbench.importing.responses import ImportedResponse, ImportedResponses
from alignbench.importing.rows import EXPECTED, response_of
from alignbench.importing.sources import source_of
from alignbench.textfiles import stream_json_lines


def stream_jsonl(paths: Sequence[Path], mapped: FieldMap | None = None) -> ImportedResponses:
    """The rows of files. mapped: which of their fields is which, where they are not called as here."""
    responses = ImportedResponses(paths[0].stem, source_of("jsonl", paths), ())
    responses.rows = (response for path in paths for response in _responses(path, mapped, responses))
    return responses


def _responses(path: Path, mapped: FieldMap | None, responses: ImportedResponses) -> Iterator[ImportedResponse]:
    empty = True
    for line, row in stream_json_lines(path):
        if row.keys() != {"scores"}:
            empty = False
            yield from row_responses(row, path, f"{path}, line {line}", mapped, responses)
    if empty:
        raise no_responses(path, mapped)


def no_responses(path: Path, mapped: FieldMap | None) -> InputError:
    """That a file has no row."""
    return InputError(f"{path} holds no responses; {EXPECTED} a row." if mapped is None else f"{path} holds no rows.")


def row_responses(
    row: Mapping[str, Any], path: Path, where: str, mapped: FieldMap | None, responses: ImportedResponses
) -> Iterator[ImportedResponse]:
    """What one row of a file holds."""
    if mapped is None:
        yield response_of(row, path.stem, where)
    else:
        yield from mapped.responses(row, path.stem, where, responses.left_out)
