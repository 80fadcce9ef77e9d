"""What the choices of a server's answer hold. Nothing about their types is taken for granted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from alignbench.engines.openai.finish_reasons import CALLED_A_TOOL
from alignbench.engines.openai.server_error import Said
from alignbench.engines.openai.server_error import said as said_of

_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thoughts", "reasoning_details")  # the first that is there
_TEXT_PARTS = frozenset(("text", "output_text", "input_text"))
_THOUGHT_PARTS = frozenset(("thinking", "reasoning", "thought", "reasoning_text", "summary_text"))
_THOUGHT_DETAILS = frozenset(("reasoning.text", "reasoning.summary"))
_UNREADABLE_THOUGHTS = frozenset(("redacted_thinking", "reasoning.encrypted"))
_MOST_TOKENS = 2**31  # that a count may be
_MINUS_INFINITY = -9999.0  # what OpenAI and vLLM write for it
_ROUNDING = 1e-3  # how far over 0 a log-prob may come


class FieldError(ValueError):
    """A field of an answer is not what it has to be; says which and what was expected."""


@dataclass(frozen=True, slots=True)
class Token:
    """id: -1 where the server does not say. logprob: nats, NaN where it does not say, perhaps -inf."""

    id: int
    logprob: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an event says of one choice.

    Attributes:
        text: of the answer, or of the refusal that is in its place
        thinking: of what the model thought before it
        refusal: whether the text is a refusal's, as the server says
        whole: whether the text is all of it so far, and not only what is new
        finish: the server's word for how it ended; empty while it goes on
        tokens: with their log-probs, of thoughts and text alike
        failure: what the server says went wrong with it
        remarks: what could not be read and can be done without
    """

    text: str = ""
    thinking: str = ""
    refusal: bool = False
    whole: bool = False
    finish: str = ""
    tokens: tuple[Token, ...] = ()
    failure: Said | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of an answer, None for what it does not say. thinking: of the completion, spent on thoughts."""

    prompt: int | None = None
    completion: int | None = None
    thinking: int | None = None
    remarks: tuple[str, ...] = ()


NO_USAGE = Usage()


def choices_of(event: dict[str, Any], n: int) -> list[tuple[int, dict[str, Any], str]]:
    """The choices of an event to a request for n of them: index, choice, and what it is called.

    One without an index is the one at its place, where all are there, and one that is there twice counts once. Choices
    that were not asked for are left out. Raises FieldError.
    """
    listed = event.get("choices")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise _wrong("choices", listed, "a list")
    found: dict[int, tuple[int, dict[str, Any], str]] = {}
    for place, choice in enumerate(listed):
        where = f"choices[{place}]"
        if choice is None:
            continue
        if not isinstance(choice, dict):
            raise _wrong(where, choice, "an object")
        index = _index(choice.get("index"), f"{where}.index")
        if index is None and len(listed) == n:
            index = place
        if index is not None and index < n:
            found.setdefault(index, (index, choice, where))
    return [*found.values()]


def read_choice(choice: dict[str, Any], where: str) -> Piece:
    """What a choice says. Raises FieldError."""
    try:
        return _read_choice(choice, where)
    except RecursionError:
        raise FieldError(f"{where} is nested too deeply; expected a text or a list of parts.") from None


def _read_choice(choice: dict[str, Any], where: str) -> Piece:
    delta, message = (_object(choice, name, where) for name in ("delta", "message"))
    name = "message" if message else "delta"
    said, where_said = message or delta, f"{where}.{name}"
    refused = _flat(said.get("refusal") or None, f"{where_said}.refusal")
    answer = _flat(said.get("content"), f"{where_said}.content")
    if not answer.text and not message:
        answer = answer.joined(_flat(choice.get("text"), f"{where}.text"))
    thoughts = next((each for each in _THOUGHTS if said.get(each)), None)
    thinking = "" if thoughts is None else _thoughts(said[thoughts], f"{where_said}.{thoughts}")
    finish = _finish(choice.get("finish_reason"), f"{where}.finish_reason")
    if said.get("tool_calls") or said.get("function_call"):
        finish = CALLED_A_TOOL
    remarks: list[str] = []
    return Piece(
        text=answer.text if answer.text == refused.text else answer.text + refused.text,
        thinking=thinking + answer.thinking,
        refusal=bool(refused.text) or answer.refusal,
        whole=bool(message),
        finish=finish,
        tokens=_with_ids(_tokens(choice.get("logprobs"), f"{where}.logprobs", remarks), choice.get("token_ids")),
        failure=said_of(choice["error"]) if choice.get("error") else None,
        remarks=tuple(remarks),
    )


def read_prompt_ids(event: dict[str, Any]) -> tuple[int, ...]:
    """The token ids of the prompt, which vLLM gives when it is asked to; none where an event does not say them."""
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    ids = event.get("prompt_token_ids") or first.get("prompt_token_ids")
    return tuple(ids) if are_ids(ids) else ()


def are_ids(ids: object) -> TypeGuard[list[int]]:
    """Whether this is a list of token ids."""
    return isinstance(ids, list) and all(type(token) is int and 0 <= token < _MOST_TOKENS for token in ids)


def _with_ids(tokens: tuple[Token, ...], ids: object) -> tuple[Token, ...]:
    """Tokens with the ids that a choice has beside their log-probs, as that of vLLM; one for each, or none counts."""
    if not are_ids(ids) or len(ids) != len(tokens):
        return tokens
    return tuple(replace(token, id=id) for token, id in zip(tokens, ids, strict=True))


def read_usage(event: dict[str, Any]) -> Usage:
    """The token counts of an event; those that cannot be read are left out."""
    usage = event.get("usage")
    if usage is None:
        return NO_USAGE
    if not isinstance(usage, dict):
        return Usage(remarks=(str(_wrong("usage", usage, "an object")),))
    remarks: list[str] = []
    details = usage.get("completion_tokens_details")
    of_thoughts = details.get("reasoning_tokens") if isinstance(details, dict) else usage.get("reasoning_tokens")
    return Usage(
        prompt=_count(usage.get("prompt_tokens"), "usage.prompt_tokens", remarks),
        completion=_count(usage.get("completion_tokens"), "usage.completion_tokens", remarks),
        thinking=_count(of_thoughts, "usage.completion_tokens_details.reasoning_tokens", remarks),
        remarks=tuple(remarks),
    )


def tokens_of_end(tokens: Sequence[Token], end: str) -> int | None:
    """How many of the last tokens hold the text `end`, and what follows it; None where their texts do not tell."""
    text = "".join(token.text for token in tokens)
    if (start := text.rfind(end)) < 0:
        return None
    length = 0
    for place, token in enumerate(tokens):
        if length >= start:
            return len(tokens) - place
        length += len(token.text)
    return 0


@dataclass(frozen=True, slots=True)
class _Flat:
    """Content as text."""

    text: str = ""
    thinking: str = ""
    refusal: bool = False

    def joined(self, other: _Flat) -> _Flat:
        return _Flat(self.text + other.text, self.thinking + other.thinking, self.refusal or other.refusal)


def _flat(content: object, where: str) -> _Flat:
    """A text, a part, or a list of parts. Raises FieldError."""
    if content is None:
        return _Flat()
    if isinstance(content, str):
        return _Flat(content)
    if isinstance(content, dict):
        return _part(content, where)
    if not isinstance(content, list):
        raise _wrong(where, content, "a text or a list of parts")
    flat = _Flat()
    for place, part in enumerate(content):
        at = f"{where}[{place}]"
        if part is not None and not isinstance(part, str | dict):
            raise _wrong(at, part, "a text or a part")
        flat = flat.joined(_flat(part, at))
    return flat


def _part(part: dict[str, Any], where: str) -> _Flat:
    kind = _kind(part, where)
    if kind in _TEXT_PARTS:
        text = part.get("text")
        if isinstance(text, dict):  # {"value": "...", "annotations": []}
            text, where = text.get("value"), f"{where}.text"
        if text is not None and not isinstance(text, str):
            raise _wrong(f"{where}.text", text, "a text")
        return _Flat(text or "")
    if kind == "refusal":
        return _Flat(_flat(part.get("refusal"), f"{where}.refusal").text, refusal=True)
    if kind in _THOUGHT_PARTS:
        return _Flat(thinking=_thoughts(part, where))
    if kind in _UNREADABLE_THOUGHTS:
        return _Flat()
    raise _wrong(f"{where}.type", kind, "text, thinking or refusal")


def _thoughts(value: object, where: str) -> str:
    """Thoughts, in any of the forms that servers have for them."""
    if isinstance(value, list):
        return "".join(_thoughts(each, f"{where}[{place}]") for place, each in enumerate(value))
    if isinstance(value, dict):
        kind = _kind(value, where)
        if kind in _UNREADABLE_THOUGHTS:
            return ""
        if kind in _TEXT_PARTS | _THOUGHT_PARTS | _THOUGHT_DETAILS:
            names = ("thinking", "text", "reasoning", "content", "thought", "summary")
            name = next((each for each in names if value.get(each)), None)
            return "" if name is None else _thoughts(value[name], f"{where}.{name}")
        raise _wrong(f"{where}.type", kind, "thinking or text")
    if value is not None and not isinstance(value, str):
        raise _wrong(where, value, "a text or a list of parts")
    return value or ""


def _kind(part: dict[str, Any], where: str) -> str:
    kind = part.get("type")
    if kind is not None and not isinstance(kind, str):
        raise _wrong(f"{where}.type", kind, "a text")
    return kind or "text"


def _finish(value: object, where: str) -> str:
    if isinstance(value, dict):  # {"type": "length", "length": 256}
        value, where = value.get("type"), f"{where}.type"
    if value is not None and not isinstance(value, str):
        raise _wrong(where, value, "a text")
    return value or ""


def _index(value: object, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST_TOKENS or value % 1:
        raise _wrong(where, value, "a whole number from 0")
    return int(value)


def _object(choice: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    value = choice.get(name)
    if isinstance(value, str):
        return {"content": value}
    if value is not None and not isinstance(value, dict):
        raise _wrong(f"{where}.{name}", value, "an object")
    return value or {}


def _count(value: object, where: str, remarks: list[str]) -> int | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS and not value % 1:
        return int(value)
    remarks.append(str(_wrong(where, value, "a number of tokens")))
    return None


# Log-probs


@dataclass(slots=True)
class LogprobReader:
    """Reads log-probs. remark: what is wrong with the first that cannot be read, empty where all can."""

    remark: str = field(default="")

    def number(self, value: object, where: str) -> float:
        """In nats: perhaps -inf, as some servers write -9999; NaN where there is none, or none that can be read."""
        if value is None:
            return math.nan
        number = math.nan
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            with suppress(ValueError, OverflowError):
                number = float(value)
        if math.isnan(number) or number > _ROUNDING:
            self.remark = self.remark or f"{_wrong(where, value, 'a log-prob')} It is left out."
            return math.nan
        return -math.inf if number <= _MINUS_INFINITY else number


def _tokens(logprobs: object, where: str, remarks: list[str]) -> tuple[Token, ...]:
    """The tokens of a choice, in the form of chat or of completions; none where they cannot be read."""
    if not logprobs:
        return ()
    reader = LogprobReader()
    tokens: tuple[Token, ...] = ()
    if not isinstance(logprobs, dict):
        reader.remark = f"{_wrong(where, logprobs, 'an object')} It is left out."
    elif logprobs.get("token_logprobs") is not None:
        tokens = tuple(_of_completions(logprobs, where, reader))
    else:
        names = ("content", "refusal")
        tokens = tuple(token for name in names for token in _of_chat(logprobs.get(name), f"{where}.{name}", reader))
    if reader.remark:
        remarks.append(reader.remark)
    return tokens


def _of_chat(items: object, where: str, reader: LogprobReader) -> Iterator[Token]:
    if not isinstance(items, list):
        if items is not None:
            reader.remark = f"{_wrong(where, items, 'a list')} It is left out."
        return
    for place, item in enumerate(items):
        at = f"{where}[{place}]"
        if not isinstance(item, dict):
            reader.remark = f"{_wrong(at, item, 'an object')} It is left out."
            yield Token(-1, math.nan)
            continue
        token, text = item.get("id"), item.get("token")
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < _MOST_TOKENS:
            token = -1
        logprob = reader.number(item.get("logprob"), f"{at}.logprob")
        yield Token(token, logprob, text if isinstance(text, str) else "")


def _of_completions(logprobs: dict[str, Any], where: str, reader: LogprobReader) -> Iterator[Token]:
    values, texts = logprobs["token_logprobs"], logprobs.get("tokens")
    if not isinstance(values, list):
        reader.remark = f"{_wrong(f'{where}.token_logprobs', values, 'a list')} It is left out."
        return
    if not isinstance(texts, list) or len(texts) != len(values):
        if texts is not None:
            reader.remark = f"{where}.tokens and token_logprobs are not of one length. They are left out."
            return
        texts = [""] * len(values)
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        logprob = reader.number(value, f"{where}.token_logprobs[{place}]")
        yield Token(-1, logprob, text if isinstance(text, str) else "")


def _wrong(where: str, value: object, expected: str) -> FieldError:
    try:
        shown = json.dumps(value)
    except (ValueError, RecursionError):  # too long a number, or too deep
        shown = f"a value of type {type(value).__name__}"
    return FieldError(f"{where} is {shown if len(shown) <= 60 else shown[:60] + '…'}; expected {expected}.")
