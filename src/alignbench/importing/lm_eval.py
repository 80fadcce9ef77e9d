"""Responses that lm-evaluation-harness logged: `samples_TASK_DATE.jsonl`, which `lm_eval --log_samples` writes.

A document has a row for each filter of its task, all of the same responses. What the model said is in every one of
them (`resps`) and is imported once; with a filter, the texts are what that one made of it (`filtered_resps`), and the
raw text what the model said. The model's name is read from the `results_DATE.json` beside the file. Documents that were
answered by log-likelihoods of given texts have no responses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import NoPrompt, PromptIds, as_text, prompt_of_text, settings_of
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.masking import masked, masked_fields
from alignbench.textfiles import json_type, read_object, stream_json_lines

_FIELDS = ("doc_id", "arguments", "resps", "filtered_resps")
_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.:-]+)")
_EXPECTED = "a row of lm_eval --log_samples, with doc_id, arguments and resps"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    task: str
    model: str


def with_folders(paths: Sequence[Path]) -> list[Path]:
    """The files, and those of the folders among them. InputError for a folder without one."""
    return [file for path in paths for file in _files(path)]


def stream_lm_eval(files: Sequence[Path], filter: str | None = None) -> ImportedResponses:
    """The responses of files, a session of all of them.

    filter: its texts in place of what the model said. InputError names file, line and field.
    """
    responses = ImportedResponses(_name(files), source_of("lm-eval", files) | {"filter": filter}, ())
    responses.rows = _all(files, filter, responses)
    return responses


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if not (found := sorted(path.rglob("samples_*.jsonl"))):
        raise InputError(f"{path} holds no samples_*.jsonl; expected the folder of lm_eval --output_path.")
    return found


def _name(files: Sequence[Path]) -> str:
    tasks = list(dict.fromkeys(_task(path) for path in files))
    return tasks[0] if len(tasks) == 1 else f"{tasks[0]} and {len(tasks) - 1} more"


def _task(path: Path) -> str:
    named = _NAME.fullmatch(path.stem)
    return named["task"] if named else path.stem


def _all(files: Sequence[Path], filter: str | None, responses: ImportedResponses) -> Iterator[ImportedResponse]:
    ids, there = PromptIds(), set[str]()
    n = 0
    for path in files:
        file = _File(path, _task(path), _model(path, responses))
        for response in _responses(file, filter, ids, there, responses):
            n += 1
            yield response
    others = sorted(there - {filter})
    if filter is not None and filter not in there and there:
        raise InputError(f"--filter {filter}: no row is of it. {did_you_mean(filter, there)}".rstrip())
    if filter is None and len(others) > 1:
        responses.notes.append(
            f"the responses themselves are imported, once each; --filter takes what one of the filters made of them: "
            f"{', '.join(others)}"
        )


def _model(path: Path, responses: ImportedResponses) -> str:
    """The model of a file, by the results beside it, else called as its folder."""
    named = _NAME.fullmatch(path.stem)
    results = path.with_name(f"results_{named['date']}.json") if named else None
    if results is not None and results.is_file():
        told = read_object(results)
        config = told["config"] if isinstance(told.get("config"), dict) else {}
        name = told.get("model_name") or told.get("model_source")
        if isinstance(name, str) and name.strip():
            facts = {key: config[key] for key in ("model", "random_seed") if config.get(key)}
            if arguments := config.get("model_args"):
                facts["model_args"] = _without_secrets(arguments)
            responses.facts.setdefault(name, {}).update({"model": name, "lm_eval": facts} if facts else {"model": name})
            return name
    folder = path.resolve().parent.name or path.stem
    responses.notes.append(f"{path}: no results beside it tell the model, which is called as the folder, {folder!r}")
    return folder


def _without_secrets(arguments: object) -> object:
    """Arguments of a model, as an object or as `pretrained=gpt2,dtype=float`: they may have keys of servers."""
    if not isinstance(arguments, str):
        return masked_fields(arguments)
    parts = []
    for part in arguments.split(","):
        name, equals, value = part.partition("=")
        parts.append(f"{name}{equals}{masked_fields({name.strip(): value})[name.strip()]}" if equals else part)
    return masked(",".join(parts))


def _responses(
    file: _File, filter: str | None, ids: PromptIds, filters: set[str], responses: ImportedResponses
) -> Iterator[ImportedResponse]:
    documents: set[int] = set()
    for line, row in stream_json_lines(file.path, _EXPECTED):
        where = f"{file.path}, line {line}"
        for name in _FIELDS:
            if name not in row:
                near = did_you_mean(name, row)
                raise InputError(f'{where}, field "{name}": missing; expected {_EXPECTED}. {near}'.rstrip())
        document = row["doc_id"]
        if not isinstance(document, int) or isinstance(document, bool):
            raise InputError(f'{where}, field "doc_id": {json_type(document)}; expected a whole number.')
        of = row.get("filter")
        if isinstance(of, str):
            filters.add(of)
        if filter is not None and of != filter:
            responses.left_out["rows of other filters"] += 1
            continue
        if document in documents:
            responses.left_out["rows of the same responses under another filter"] += 1
            continue
        documents.add(document)
        yield from _of_document(row, file, filter is not None, where, ids, responses)


def _of_document(
    row: Mapping[str, Any], file: _File, filtered: bool, where: str, ids: PromptIds, responses: ImportedResponses
) -> Iterator[ImportedResponse]:
    request, raw = _request(row, where), _said(row["resps"], where)
    told = request[1] if len(request) > 1 else None
    if not isinstance(told, Mapping):
        responses.left_out["documents that were answered by log-likelihoods of given texts"] += 1
        return
    if raw is None:
        responses.left_out["documents that were answered by several requests"] += 1
        return
    try:
        prompt = prompt_of_text(_prompt_text(request[0], where))
    except NoPrompt as error:
        responses.left_out[f"documents whose prompt is {error}"] += 1
        return
    prompt = ids.named(prompt, f"{file.task}-{row['doc_id']}", file.task)
    origin = Origin(file.model, settings=settings_of(told))
    texts = _made(row["filtered_resps"]) if filtered else raw
    for i, text in enumerate(texts):
        whole = raw[i] if len(raw) == len(texts) else text
        yield ImportedResponse(where, prompt, origin, ImportedSample(text, whole))


def _request(row: Mapping[str, Any], where: str) -> list[Any]:
    """The arguments of the first request of a document, as a list or as {"gen_args_0": {"arg_0": ...}}."""
    given = row["arguments"]
    first: Any = None
    if isinstance(given, Mapping):
        first = given.get("gen_args_0")
    elif isinstance(given, list) and given:
        first = given[0]
    arguments = [*first.values()] if isinstance(first, Mapping) else first
    if not isinstance(arguments, list) or not arguments:
        raise InputError(f'{where}, field "arguments": expected {{"gen_args_0": {{"arg_0": ...}}}}.')
    return arguments


def _prompt_text(argument: object, where: str) -> str:
    while isinstance(argument, list) and len(argument) == 1:  # messages as JSON are a tuple of one text
        argument = argument[0]
    if not isinstance(argument, str):
        raise InputError(f'{where}, field "arguments.gen_args_0.arg_0": {json_type(argument)}; expected a text.')
    return argument


def _said(resps: object, where: str) -> list[str] | None:
    """What the model said, a list in a list; None where it was asked more than once."""
    if not isinstance(resps, list):
        raise InputError(f'{where}, field "resps": {json_type(resps)}; expected a list of lists of texts.')
    if len(resps) != 1 or not isinstance(resps[0], list) or not all(isinstance(each, str) for each in resps[0]):
        return None
    return list(resps[0])


def _made(filtered: object) -> list[str]:
    """What a filter made of the responses: of several a text each, of a vote one."""
    made = filtered[0] if isinstance(filtered, list) and len(filtered) == 1 else filtered
    return [as_text(each) for each in made] if isinstance(made, list) else [as_text(made)]
