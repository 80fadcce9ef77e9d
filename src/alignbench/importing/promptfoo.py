"""Responses from a file that `promptfoo eval -o results.json` wrote, or `-o results.jsonl`, a result a line.

A condition is a provider, by its label where it has one. A prompt is what was sent, with its variables filled in; its
id is the number of its test, and of its template where there are several. Whether a test passed is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import (
    NoPrompt,
    PromptIds,
    as_text,
    count,
    end_of,
    logprob_of,
    prompt_of_text,
    seconds_of,
    seed_of,
    settings_of,
)
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.store import GenerationFacts
from alignbench.textfiles import json_type, read_object, stream_json_lines

_ERROR = 2  # of `failureReason`: the provider failed; 1 is a test that did not pass
_EXPECTED = "a result of promptfoo, with provider, prompt and response"
_Config = Mapping[str, Any]


def stream_promptfoo(paths: Sequence[Path]) -> ImportedResponses:
    """The responses of files, a session of all of them. InputError names file, result and field.

    A file that is one JSON value is read as a whole; one with a result on each line is not.
    """
    responses = ImportedResponses(paths[0].stem, source_of("promptfoo", paths), ())
    responses.rows = _all(paths, responses)
    return responses


def _all(paths: Sequence[Path], responses: ImportedResponses) -> Iterator[ImportedResponse]:
    ids = PromptIds()
    for path in paths:
        if path.suffix.lower() == ".jsonl":
            rows: Iterator[tuple[str, Any]] = (
                (f"{path}, line {line}", row) for line, row in stream_json_lines(path, _EXPECTED)
            )
            configs: dict[str, _Config] = {}
        else:
            document = read_object(path)
            rows, configs = _results(document, path), _configs(document.get("config"))
        for where, row in rows:
            yield from _of_result(row, path.stem, where, configs, ids, responses)


def _results(document: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
    """The results, which stand in `results.results`, in older files in `results` itself."""
    outer = document.get("results")
    inner = outer.get("results") if isinstance(outer, Mapping) else outer
    if not isinstance(inner, list):
        near = "" if "results" in document else did_you_mean("results", document)
        raise InputError(
            f'{path}, field "results.results": {json_type(inner) if inner is not None else "missing"}; expected the '
            f"list of results that `promptfoo eval -o results.json` writes. {near}".rstrip()
        )
    for i, row in enumerate(inner):
        yield f"{path}, results[{i}]", row


def _configs(config: object) -> dict[str, _Config]:
    """Settings of the providers by id and by label."""
    listed = config.get("providers") if isinstance(config, Mapping) else None
    configs: dict[str, _Config] = {}
    for provider in listed if isinstance(listed, list) else [listed]:
        if not isinstance(provider, Mapping):
            continue
        if "id" not in provider and len(provider) == 1:  # {"openai:gpt": {"config": ...}}
            ((name, inner),) = provider.items()
            provider = {"id": name, **inner} if isinstance(inner, Mapping) else {}
        if isinstance(provider.get("config"), Mapping):
            for name in (provider.get("id"), provider.get("label")):
                if isinstance(name, str):
                    configs.setdefault(name, provider["config"])
    return configs


def _of_result(
    row: object, set: str, where: str, configs: Mapping[str, _Config], ids: PromptIds, responses: ImportedResponses
) -> Iterator[ImportedResponse]:
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: {json_type(row)}; expected {_EXPECTED}.")
    for name in ("provider", "prompt"):
        if name not in row:
            raise InputError(
                f'{where}, field "{name}": missing; expected {_EXPECTED}. {did_you_mean(name, row)}'.rstrip()
            )
    id, label = _provider(row["provider"], where)
    raw = row["prompt"].get("raw") if isinstance(row["prompt"], Mapping) else row["prompt"]
    if not isinstance(raw, str):
        raise InputError(f'{where}, field "prompt.raw": {json_type(raw)}; expected a text.')
    for what, there in (("scores and verdicts of tests", "score"), ("ratings of results", "gradingResult")):
        responses.left_out[what] += row.get(there) is not None
    try:
        prompt = prompt_of_text(raw)
    except NoPrompt as error:
        responses.left_out[f"responses to {error}"] += 1
        return
    config = configs.get(label) or configs.get(id) or {}
    origin = Origin(label or id, settings=settings_of(config))
    yield ImportedResponse(where, ids.named(prompt, _id(row), set), origin, _sample(row, config))


def _provider(provider: object, where: str) -> tuple[str, str]:
    """Id and label."""
    id = provider.get("id") if isinstance(provider, Mapping) else provider
    if not isinstance(id, str) or not id.strip():
        raise InputError(f'{where}, field "provider.id": {json_type(id)}; expected a text that is not empty.')
    label = provider.get("label") if isinstance(provider, Mapping) else None
    return id, label if isinstance(label, str) and label.strip() else ""


def _id(row: Mapping[str, Any]) -> str:
    test, prompt = count(row.get("testIdx")), count(row.get("promptIdx"))
    if test is None:
        return ""
    return f"test-{test}" if not prompt else f"test-{test}-prompt-{prompt}"


def _sample(row: Mapping[str, Any], config: _Config) -> ImportedSample:
    response = row.get("response") if isinstance(row.get("response"), Mapping) else {}
    assert isinstance(response, Mapping)
    output = response.get("output")
    error = response.get("error") or (row.get("error") if row.get("failureReason") == _ERROR or output is None else "")
    if error or output is None:
        return ImportedSample(error=as_text(error) if error else "there is no response")
    text = as_text(output)
    finish, refused = end_of(response.get("finishReason"))
    usage = response.get("tokenUsage") if isinstance(response.get("tokenUsage"), Mapping) else {}
    assert isinstance(usage, Mapping)
    cached = response.get("cached") is True  # counts and times are those of the cache
    details = usage.get("completionDetails")
    thinking = count(details.get("reasoning")) if isinstance(details, Mapping) else None
    n = None if cached else count(usage.get("completion"))
    facts = GenerationFacts(
        seed=seed_of(config.get("seed")),
        n_prompt_tokens=None if cached else count(usage.get("prompt")),
        n_tokens=n - thinking if n is not None and thinking and thinking <= n else n,
        n_thinking_tokens=thinking or None,
        seconds=None if cached else seconds_of(row.get("latencyMs"), 0.001),
        logprob=_logprob(response.get("logProbs")),
    )
    return ImportedSample(text, text, finish, refused=refused or response.get("isRefusal") is True, facts=facts)


def _logprob(values: object) -> float | None:
    """The sum over tokens, of a list that has a number for each."""
    if not isinstance(values, list) or not values:
        return None
    numbers = [logprob_of(value) for value in values]
    return None if None in numbers else sum(number for number in numbers if number is not None)
