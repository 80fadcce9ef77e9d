"""Responses of OpenAI's batch interface, and of servers that have the same: a file of requests and files of results.

    requests  {"custom_id": "q1", "url": "/v1/chat/completions", "body": {"model": ..., "messages": ...}}
    results   {"custom_id": "q1", "response": {"status_code": 200, "body": {"choices": ...}}, "error": null}

Which file is which is told by what is in it. A result that failed is an error; so is a request without a result. A
prompt has the id of the first request that asks it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignbench.engines.openai.choices import FieldError, choices_of, read_choice, read_usage
from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import (
    NoPrompt,
    PromptIds,
    as_text,
    conversation,
    count,
    end_of,
    logprob_of,
    prompt_of_text,
    seed_of,
    settings_of,
)
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.spec import Prompt
from alignbench.store import GenerationFacts
from alignbench.textfiles import json_object, json_type, stream_json_lines

_REQUEST = 'a request like {"custom_id": "q1", "url": "/v1/chat/completions", "body": {...}}'
_RESULT = 'a result like {"custom_id": "q1", "response": {"status_code": 200, "body": {...}}}'
_EITHER = "a request or a result of a batch, with custom_id and body or response"
_FAILED = "the server says that it failed"
_NOT_DONE = "there is no result of this request"


def stream_openai_batch(paths: Sequence[Path]) -> ImportedResponses:
    """The results of batches, a session of all of them. InputError names file, line and field."""
    if pipe := next((path for path in paths if path.exists() and not path.is_file()), None):
        raise InputError(f"{pipe} is no regular file; expected one, which can be read twice.")
    requests = [path for path in paths if _is_requests(path)]
    results = [path for path in paths if path not in requests]
    for files, what in ((requests, "requests (with body)"), (results, "results (with response)")):
        if not files:
            names = ", ".join(map(str, paths))
            raise InputError(f"{names}: no file of {what} among them; expected both, in any order.")
    responses = ImportedResponses(results[0].stem, source_of("openai-batch", [*requests, *results]), ())
    responses.rows = _all(requests, results, responses)
    return responses


def _is_requests(path: Path) -> bool:
    line, first = next(stream_json_lines(path, _EITHER), (1, {}))
    if "custom_id" not in first or not first.keys() & {"body", "response", "error"}:
        near = did_you_mean("custom_id", first) if "custom_id" not in first else ""
        raise InputError(f"{path}, line {line}: expected {_EITHER}. {near}".rstrip())
    return "body" in first


@dataclass(slots=True)
class _Requests:
    """Where each request is; they themselves stay in their files."""

    paths: Sequence[Path]
    places: dict[str, int] = field(default_factory=dict)  # by custom_id
    file: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("q"))
    line: array[int] = field(default_factory=lambda: array("q"))
    seen: bytearray = field(default_factory=bytearray)  # those with a result

    def __post_init__(self) -> None:
        for n, path in enumerate(self.paths):
            for (line, row), (number, start) in zip(
                stream_json_lines(path, _REQUEST), _line_starts(path), strict=False
            ):
                id = _custom_id(row, f"{path}, line {line}")
                if (place := self.places.setdefault(id, len(self.file))) < len(self.file):
                    other = f"{self.paths[self.file[place]]}, line {self.line[place]}"
                    raise InputError(f'{path}, line {line}, field "custom_id": {id!r} stands in {other} too; '
                                     "expected an id of its own.")  # fmt: skip
                self.file.append(n)
                self.start.append(start)
                self.line.append(number)
        self.seen = bytearray(len(self.file))

    def at(self, place: int) -> tuple[str, dict[str, Any]]:
        """Where a request stands, and what it is."""
        path = self.paths[self.file[place]]
        where = f"{path}, line {self.line[place]}"
        with path.open("rb") as file:
            file.seek(self.start[place])
            return where, json_object(file.readline().decode("utf-8"), where, _REQUEST)


def _line_starts(path: Path) -> Iterator[tuple[int, int]]:
    """Number and first byte of each line with something on it."""
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            skipped = 3 if number == 1 and line.startswith(b"\xef\xbb\xbf") else 0
            if line[skipped:].strip():
                yield number, start + skipped
            start += len(line)


def _custom_id(row: Mapping[str, Any], where: str) -> str:
    id = row.get("custom_id")
    if not isinstance(id, str) or not id:
        near = "" if "custom_id" in row else did_you_mean("custom_id", row)
        what = json_type(id) if "custom_id" in row else "missing"
        raise InputError(f'{where}, field "custom_id": {what}; expected a text that is not empty. {near}'.rstrip())
    return id


def _all(requests: Sequence[Path], results: Sequence[Path], responses: ImportedResponses) -> Iterator[ImportedResponse]:
    asked, ids = _Requests(requests), PromptIds()
    for path in results:
        for line, row in stream_json_lines(path, _RESULT):
            where = f"{path}, line {line}"
            id = _custom_id(row, where)
            if (place := asked.places.get(id)) is None:
                near = did_you_mean(id, asked.places) if len(asked.places) < 5_000 else ""
                raise InputError(
                    f'{where}, field "custom_id": {id!r} is the id of no request in '
                    f"{', '.join(map(str, requests))}. {near}".rstrip()
                )
            if asked.seen[place]:
                raise InputError(f'{where}, field "custom_id": {id!r} has a result already; expected one of each.')
            asked.seen[place] = 1
            yield from _of_result(*asked.at(place), row, where, ids, responses)
    for id, place in asked.places.items():
        if not asked.seen[place]:
            where, request = asked.at(place)
            request_prompt = _prompt(request, where, ids, id, responses)
            if request_prompt is not None:
                yield ImportedResponse(where, *request_prompt, ImportedSample(error=_NOT_DONE))


def _prompt(
    request: Mapping[str, Any], where: str, ids: PromptIds, id: str, responses: ImportedResponses
) -> tuple[Prompt, Origin] | None:
    """What a request asks of whom; None where its prompt is none that this program has."""
    body = request.get("body")
    if not isinstance(body, dict):
        raise InputError(f'{where}, field "body": {json_type(body)}; expected the object that was sent.')
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise InputError(f'{where}, field "body.model": {json_type(model)}; expected a text that is not empty.')
    try:
        prompt = _asked(body, where)
    except NoPrompt as error:
        responses.left_out[f"responses to {error}"] += 1
        return None
    return ids.named(prompt, id, where.rpartition(", ")[0].rpartition("/")[2]), Origin(
        model, settings=settings_of(body)
    )


def _asked(body: Mapping[str, Any], where: str) -> Prompt:
    """The prompt of a request to chat completions, completions, or responses."""
    if isinstance(messages := body.get("messages", body.get("input")), list):
        system = body.get("instructions")
        opening = [{"role": "system", "content": system}] if isinstance(system, str) and system.strip() else []
        return conversation([*opening, *messages])
    text = body.get("prompt", body.get("input"))
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    if not isinstance(text, str):
        raise InputError(f'{where}, field "body": no messages, prompt or input in it; expected one of them.')
    return prompt_of_text(text, body.get("instructions"))


def _of_result(
    request_where: str,
    request: Mapping[str, Any],
    result: Mapping[str, Any],
    where: str,
    ids: PromptIds,
    responses: ImportedResponses,
) -> Iterator[ImportedResponse]:
    if (asked := _prompt(request, request_where, ids, result["custom_id"], responses)) is None:
        return
    prompt, origin = asked
    body = request["body"]
    try:
        for sample in _samples(result, body):
            yield ImportedResponse(where, prompt, origin, sample)
    except FieldError as error:
        raise InputError(f'{where}, field "response.body": {error}') from None


def _samples(result: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[ImportedSample]:
    """One for each choice. Raises FieldError."""
    response = result.get("response")
    answer = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code", 200) if isinstance(response, dict) else None
    failure = result.get("error") or (answer.get("error") if isinstance(answer, dict) else None)
    if failure or not isinstance(answer, dict) or status != 200:
        yield ImportedSample(error=_message(failure, status))
        return
    if "choices" not in answer and isinstance(answer.get("output"), list):
        answer = _as_choices(answer)
    n = max(count(body.get("n")) or 1, 1)
    choices = choices_of(answer, n)
    if not choices:
        yield ImportedSample(error="there is no choice in the response")
    usage = read_usage(answer)
    for index, choice, at in choices:
        piece = read_choice(choice, at)
        finish, refused = end_of(piece.finish)
        if piece.failure is not None:
            yield ImportedSample(piece.text, piece.text, error=piece.failure.words or _FAILED)
            continue
        known = len(choices) == 1 and usage.completion is not None
        thinking = (usage.thinking or None) if known else None
        n_tokens = None if not known or usage.completion is None else usage.completion - (thinking or 0)
        logprob = sum(token.logprob for token in piece.tokens) if piece.tokens and not thinking else None
        seed = seed_of(body.get("seed"))
        yield ImportedSample(
            piece.text,
            piece.text,
            finish,
            thinking=piece.thinking or None,
            refused=refused or piece.refusal,
            facts=GenerationFacts(
                seed=None if seed is None else seed + index,
                n_prompt_tokens=usage.prompt,
                n_tokens=n_tokens if n_tokens is None or n_tokens >= 0 else None,
                n_thinking_tokens=thinking,
                logprob=logprob_of(logprob),
            ),
        )


def _as_choices(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of the responses interface in the form of chat completions."""
    parts: list[Any] = []
    for item in answer["output"]:
        if isinstance(item, dict) and item.get("type") == "message" and isinstance(item.get("content"), list):
            parts += item["content"]
    details = answer.get("incomplete_details")
    finish = details.get("reason") if isinstance(details, dict) else answer.get("status")
    usage = answer.get("usage") if isinstance(answer.get("usage"), dict) else {}
    assert isinstance(usage, dict)
    return {
        "choices": [{"index": 0, "message": {"content": parts}, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": usage.get("input_tokens"),
            "completion_tokens": usage.get("output_tokens"),
            "completion_tokens_details": usage.get("output_tokens_details"),
        },
    }


def _message(failure: object, status: object) -> str:
    if isinstance(failure, dict) and isinstance(failure.get("message"), str) and failure["message"]:
        code = failure.get("code")
        return f"{failure['message']} ({code})" if code else failure["message"]
    if failure:
        return as_text(failure)
    return f"status {status}" if status is not None else "there is no response"
