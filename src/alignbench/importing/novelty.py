"""Generations of NoveltyBench (Zhang et al. 2025): JSONL rows {"id", "prompt", "model", "generations"}.

Each of a row's generations is a sample of its prompt under its model. `generations.jsonl`, `partitions.jsonl` and
`scores.jsonl` of an evaluation all have these fields; what else the latter have is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import NoPrompt, PromptIds, prompt_of_text
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.textfiles import json_type, stream_json_lines

_FIELDS = ("id", "prompt", "model", "generations")
_EXPECTED = 'expected {"id": "curated-1", "prompt": "...", "model": "...", "generations": ["...", "..."]}'


def stream_novelty(paths: Sequence[Path]) -> ImportedResponses:
    """The generations of files, a session of all of them. InputError names file, line and field."""
    responses = ImportedResponses(paths[0].stem, source_of("novelty", paths), ())
    ids = PromptIds()
    responses.rows = (response for path in paths for response in _responses(path, ids, responses))
    return responses


def _responses(path: Path, ids: PromptIds, responses: ImportedResponses) -> Iterator[ImportedResponse]:
    for line, row in stream_json_lines(path, _EXPECTED.removeprefix("expected ")):
        yield from _of_row(row, path.stem, f"{path}, line {line}", ids, responses)


def _of_row(
    row: Mapping[str, Any], set: str, where: str, ids: PromptIds, responses: ImportedResponses
) -> Iterator[ImportedResponse]:
    for name in _FIELDS:
        if name not in row:
            near = did_you_mean(name, row)
            raise InputError(f'{where}, field "{name}": missing; {_EXPECTED}. {near}'.rstrip())
    for name in ("prompt", "model"):
        if not isinstance(row[name], str) or not row[name].strip():
            raise InputError(f'{where}, field "{name}": {json_type(row[name])}; expected a text that is not empty.')
    if not isinstance(row["id"], str | int) or isinstance(row["id"], bool):
        raise InputError(f'{where}, field "id": {json_type(row["id"])}; expected a text.')
    if not isinstance(row["generations"], list | None):
        raise InputError(f'{where}, field "generations": {json_type(row["generations"])}; expected a list of texts.')
    try:
        prompt = ids.named(prompt_of_text(row["prompt"]), str(row["id"]), set)
    except NoPrompt as error:
        raise InputError(f'{where}, field "prompt": {error}; expected a prompt.') from None
    if not row["generations"]:
        responses.left_out["rows without a generation, which failed"] += 1
    for unused in row.keys() - {*_FIELDS}:
        responses.left_out[f"values of the field {unused!r}"] += 1
    for i, text in enumerate(row["generations"] or ()):
        if text is not None and not isinstance(text, str):
            raise InputError(f'{where}, field "generations[{i}]": {json_type(text)}; expected a text.')
        sample = ImportedSample(text, text) if text is not None else ImportedSample(error="there is no text")
        yield ImportedResponse(where, prompt, Origin(row["model"]), sample)
