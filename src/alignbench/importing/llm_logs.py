"""Responses that `llm` (llm.datasette.io) logged: what `llm logs --json` prints, or a line of JSON each.

Responses of one conversation that are in the file are the turns before the next prompt in it. Prompts of which the log
has only a part, with fragments, attachments or tools, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import NoPrompt, PromptIds, conversation, count, seconds_of, seed_of, settings_of
from alignbench.importing.json_objects import json_objects
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.parsing import parse_json
from alignbench.store import GenerationFacts
from alignbench.textfiles import json_type

_FIELDS = ("model", "prompt", "response")
_PARTS = {
    "prompt_fragments": "fragments",
    "system_fragments": "fragments",
    "attachments": "attachments",
    "tool_results": "results of tools",
    "tool_calls": "calls of tools",
}
_EXPECTED = "an object that `llm logs --json` prints, with model, prompt and response"


def stream_llm(paths: Sequence[Path]) -> ImportedResponses:
    """The responses of files, a session of all of them. InputError names file, place and field."""
    responses = ImportedResponses(paths[0].stem, source_of("llm", paths), ())
    responses.rows = _all(paths, responses)
    return responses


def _all(paths: Sequence[Path], responses: ImportedResponses) -> Iterator[ImportedResponse]:
    ids = PromptIds()
    for path in paths:
        turns: dict[str, list[dict[str, str]]] = {}  # of conversations, so far
        for where, row in json_objects(path, _EXPECTED):
            yield from _of_row(row, path.stem, where, turns, ids, responses)


def _of_row(
    row: Mapping[str, Any],
    set: str,
    where: str,
    turns: dict[str, list[dict[str, str]]],
    ids: PromptIds,
    responses: ImportedResponses,
) -> Iterator[ImportedResponse]:
    for name in _FIELDS:
        if name not in row:
            near = did_you_mean(name, row)
            raise InputError(f'{where}, field "{name}": missing; expected {_EXPECTED}. {near}'.rstrip())
    if not isinstance(row["model"], str) or not row["model"].strip():
        raise InputError(f'{where}, field "model": {json_type(row["model"])}; expected a text.')
    for name in ("prompt", "response", "system"):
        if not isinstance(row.get(name), str | None):
            raise InputError(f'{where}, field "{name}": {json_type(row[name])}; expected a text.')
    talk = str(row.get("conversation_id") or "")
    earlier = turns.setdefault(talk, []) if talk else []
    if parts := next((what for name, what in _PARTS.items() if row.get(name)), ""):
        responses.left_out[f"responses with {parts}"] += 1
        earlier.append({"role": "tool", "content": ""})  # no turn after it is a prompt that is known
        return
    system = row.get("system") or ""
    opening = [{"role": "system", "content": system}] if system.strip() and not earlier else []
    asked = {"role": "user", "content": row["prompt"] or ""}
    try:
        prompt = conversation([*opening, *earlier, asked])
    except NoPrompt as error:
        responses.left_out[f"responses to {error}"] += 1
        return
    text = row["response"] or ""
    earlier += [*opening, asked, {"role": "assistant", "content": text}]
    options = _object(row.get("options_json"))
    facts = GenerationFacts(
        seed=seed_of(options.get("seed")),
        n_prompt_tokens=count(row.get("input_tokens")),
        n_tokens=count(row.get("output_tokens")),
        seconds=seconds_of(row.get("duration_ms"), 0.001),
    )
    resolved = row.get("resolved_model")
    if isinstance(resolved, str) and resolved:
        responses.facts.setdefault(row["model"], {})["resolved_model"] = resolved
    sample = ImportedSample(text, text, facts=facts)
    key = f"llm {row['id']}" if isinstance(row.get("id"), str) else ""
    yield ImportedResponse(
        where, ids.named(prompt, "", set), Origin(row["model"], settings=settings_of(options)), sample, key=key
    )


def _object(value: object) -> dict[str, Any]:
    """What the log has as JSON, in a text or as it is."""
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
