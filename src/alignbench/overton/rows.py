"""Rows of a samples.jsonl of the release of "From Distributional to Overton Pluralism", and what was cut off in them.

The URIAL-style layouts put every body inside a fence of three backticks, and the closing fence stopped the server. It
is in the text still, and is cut off here. A text without one was cut by length. A response that opened a code block was
stopped there as well, and nothing in the row tells it from a finished one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alignbench.importing.values import Finish, ImportedSample

FENCE = "```"
ANSWER_OPEN = f"# Answer:\n{FENCE}\n"
SUMMARY_OPEN = f"# Summary:\n{FENCE}\n"

_TO_ANSWER = re.compile(rf"{FENCE}\s*# Answer:\s*{FENCE}\n?")


class NotARow(ValueError):
    """The row has another form than any the release uses; the message says what was expected."""


def read_row(row: Mapping[str, Any], n: int) -> tuple[str | None, tuple[ImportedSample, ...]]:
    """The rendered prompt, where the row has it, and its samples. n: samples a prompt, for a row that failed whole."""
    if row.get("ok") is False:
        return None, (ImportedSample(error=_message(row.get("error"))),) * n
    outputs = row.get("outputs")
    if not isinstance(outputs, list):
        raise NotARow('no list "outputs"; expected one, or {"ok": false, "error": ...}')
    rendered = row.get("prompt")
    if rendered is not None and not isinstance(rendered, str):
        raise NotARow('field "prompt" is no text; expected the rendered prompt')
    return rendered, tuple(_sample(output, rendered or "") for output in outputs)


def is_base(rendered: str | None) -> bool:
    """Whether a prompt ends in the open fence of the layouts for base models."""
    return rendered is not None and rendered.endswith((ANSWER_OPEN, SUMMARY_OPEN))


def close_fence(raw: str) -> ImportedSample:
    """A response in a layout that ends with a fence: the fence cut off, or else cut by length."""
    if raw.endswith(FENCE):
        return ImportedSample(raw.removesuffix(FENCE), raw, "stop")
    return ImportedSample(raw, raw, "length")


def hint_first(raw: str) -> ImportedSample:
    """A response that wrote its hint before its answer, and ran on after it.

    The answer ends at the fence that closes it, not at the hint's. Without an answer the response is empty.
    """
    hint, fence, _ = raw.partition(FENCE)
    opening = _TO_ANSWER.match(raw, len(hint)) if fence else None
    if opening is None:
        return ImportedSample("", raw, "length", hint=hint.strip())
    answer, closed, _ = raw[opening.end() :].partition(FENCE)
    return ImportedSample(answer, raw, "stop" if closed else "length", hint=hint.strip())


def _sample(output: object, rendered: str) -> ImportedSample:
    match output:
        case {"generated_text": str(raw)}:
            if rendered.endswith(SUMMARY_OPEN):
                return hint_first(raw)
            return close_fence(raw) if rendered.endswith(ANSWER_OPEN) else ImportedSample(raw, raw)
        case {"message": {"content": str(raw)}, "finish_reason": reason}:
            return ImportedSample(raw, raw, _finish(reason))
        case {"message": {"content": None}, "finish_reason": reason}:
            return ImportedSample(error=f"no text; finish reason {reason}")
        case {"error": error}:
            return ImportedSample(error=_message(error))
    raise NotARow('an output without "generated_text", "message" or "error"')


def _finish(reason: object) -> Finish | None:
    """What a server says; it may say nothing."""
    return "length" if reason == "length" else None if reason is None else "stop"


def _message(error: object) -> str:
    return error if isinstance(error, str) and error else f"failed: {error}"
