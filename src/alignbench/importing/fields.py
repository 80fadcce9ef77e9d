"""Single fields of other programs' files: counts, settings, ends, conversations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alignbench import bounds
from alignbench.engines.openai.finish_reasons import REFUSED, ending_of
from alignbench.errors import InputError
from alignbench.importing.values import Finish
from alignbench.json_text import json_text
from alignbench.parsing import parse_json
from alignbench.prompt_fields import messages_of
from alignbench.spec import SAMPLING_BOUNDS, Prompt, made_id
from alignbench.textfiles import json_type

_MOST_TOKENS = 2**31
_MOST_SECONDS = 1e9
_LEAST_LOGPROB = -1e9
_PARTS = frozenset(("text", "input_text", "output_text"))
_NAMES = {  # what other programs call a setting
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_gen_toks": "max_tokens",
    "num_predict": "max_tokens",
    "stop_seqs": "stop",
    "stop_sequences": "stop",
    "until": "stop",
    "repeat_penalty": "repetition_penalty",
}


class NoPrompt(ValueError):
    """Messages that are no prompt here; says why."""


def count(value: object) -> int | None:
    """A number of tokens; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else None


def seed_of(value: object) -> int | None:
    """A seed; None for what is none."""
    return value if isinstance(value, int) and bounds.SEED.has(value) else None


def seconds_of(value: object, unit: float = 1.0) -> float | None:
    """A time in seconds; None for what is none. unit: of the value, in seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value * unit if 0 < value < _MOST_SECONDS / unit else None


def logprob_of(value: object) -> float | None:
    """A log-prob in nats; None for what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if _LEAST_LOGPROB < value <= 0 else None


def end_of(word: object) -> tuple[Finish | None, bool]:
    """How a response ended, None where the word does not tell, and whether it is a refusal."""
    if not isinstance(word, str):
        return None, False
    ending = ending_of(word)
    return (ending.reason if ending else None), word.strip().lower() in (REFUSED, "content_filter")


def settings_of(given: Mapping[str, object]) -> tuple[tuple[str, Any], ...]:
    """The sampling parameters that a program recorded, by the names of `spec.SETTINGS`, in their order.

    Those that are not recorded, and values that no parameter can have here, are left out. Greedy decoding
    (`do_sample` false) is temperature 0.
    """
    named = {_NAMES.get(name, name): value for name, value in given.items() if value is not None}
    if named.get("do_sample") is False:
        named["temperature"] = 0.0
    settings: dict[str, Any] = {}
    for name, bound in SAMPLING_BOUNDS.items():
        value: Any = named.get(name)
        if isinstance(value, float) and bound.whole and value.is_integer():
            value = int(value)
        if bound.has(value):
            settings[name] = value if bound.whole else float(value)
    if stops := _stops(named.get("stop")):
        settings["stop"] = stops
    return tuple(settings.items())


def _stops(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return tuple(text for text in texts if isinstance(text, str) and text)


def content_text(content: object) -> str:
    """The text of a message. Raises NoPrompt where it has pictures or other parts that are no text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise NoPrompt(f"a message whose content is {json_type(content)}")
    texts = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type", "text") in _PARTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            raise NoPrompt("a message with parts that are no text")
    return "".join(texts)


def conversation(messages: Sequence[object]) -> Prompt:
    """The prompt, without an id, that chat messages make.

    Raises NoPrompt where they are none that this program has: tools, pictures, two messages of one role in a row.
    """
    turns = []
    for message in messages:
        if not isinstance(message, dict):
            raise NoPrompt(f"a message that is {json_type(message)}")
        role = "system" if message.get("role") == "developer" else message.get("role")
        if role == "tool" or message.get("tool_calls"):
            raise NoPrompt("a conversation with calls of tools")
        turns.append({"role": role, "content": content_text(message.get("content"))})
    try:
        *earlier, last = messages_of({"messages": turns}, "")
    except InputError as error:
        raise NoPrompt(f"a conversation that is no prompt ({str(error).partition(': ')[2].rstrip('.')})") from None
    return Prompt("", last.content, earlier=tuple(earlier))


def prompt_of_text(text: str, system: object = None) -> Prompt:
    """The prompt, without an id, of a text that may hold chat messages as JSON, as several programs write them.

    Raises NoPrompt where it is empty, or messages that are none.
    """
    if not text.strip():
        raise NoPrompt("an empty prompt")
    system_turn = [{"role": "system", "content": system}] if isinstance(system, str) and system.strip() else []
    if messages := _written_messages(text):
        return conversation([*system_turn, *messages])
    return conversation([*system_turn, {"role": "user", "content": text}]) if system_turn else Prompt("", text.strip())


def _written_messages(text: str) -> list[dict[str, Any]]:
    if not text.lstrip().startswith("["):
        return []
    try:
        value = parse_json(text)
    except ValueError:
        return []
    is_messages = isinstance(value, list) and value and all(isinstance(m, dict) and "role" in m for m in value)
    return value if is_messages else []


class PromptIds:
    """Ids for prompts of files whose own ids are those of requests: one text has one id.

    The first id that a text comes with is its own; where another text has that already, a part of its hash is added.
    """

    def __init__(self) -> None:
        self._of_text: dict[str, str] = {}
        self._taken: set[str] = set()

    def named(self, prompt: Prompt, wanted: str, set: str) -> Prompt:
        """The prompt with its id. wanted: empty where the file has none for it."""
        text_hash = prompt.hash
        id = self._of_text.get(text_hash)
        if id is None:
            id = wanted if wanted and wanted not in self._taken else ""
            id = id or (f"{wanted}-{text_hash[:8]}" if wanted else made_id(text_hash, set))
            self._of_text[text_hash] = id
            self._taken.add(id)
        return replace(prompt, id=id, set=set)


def as_text(value: object) -> str:
    """A response that is no text, as JSON."""
    return value if isinstance(value, str) else json_text(value)


def shown_value(value: object) -> str:
    """A value for a message, cut short."""
    text = json.dumps(value, default=str) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
