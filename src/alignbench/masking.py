"""Secrets made unreadable, before anything is said or stored: keys of the environment, passwords in addresses.

A server may send a key back: in an error, a model's name, a completion. Messages pass through `masked` when an error is
made, what a server says through `without_keys` when it comes in.

Which variables hold keys, and which texts are secret beside them, a process learns from the settings of models that it
reads (`hide_variable`, `hide`); it forgets none until it ends.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

OPENAI_KEY = "OPENAI_API_KEY"
KEY_VARIABLES = (OPENAI_KEY, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
MASK = "***"

SHORTEST_KEY = 8  # characters. Shorter ones are placeholders, such as EMPTY, that are words of a text too
_SHORTEST_WORD = 4  # of a message in which a placeholder is masked, where it stands alone

_hidden_variables: dict[str, None] = dict.fromkeys(KEY_VARIABLES)
_hidden: dict[str, None] = {}

_USER = re.compile(r"(:/{1,2})(?:[^\s/?#'\"@]{1,300}|[^\s/#'\"@:]{0,300}:[^\s#'\"]{1,300})@")
_NAMED = r"[\w-]{0,30}(?:key|token|secret|passw(?:or)?d|pwd|sig(?:nature)?|auth|credential)[\w-]{0,30}"
_FIELD = re.compile(rf"(?i){_NAMED}")
_QUERY = re.compile(rf"(?i)([?&;]{_NAMED}=)[^\s&;#'\"]+")


def masked(text: str) -> str:
    """A message without keys in any usual spelling, without the user and password of addresses, and without what their
    queries call a key."""
    keys = _keys()
    text = without_keys(text)
    for key in keys:
        if _SHORTEST_WORD <= len(key) < SHORTEST_KEY:
            text = re.sub(rf"(?<![\w-]){re.escape(key)}(?![\w-])", MASK, text)
    if any(_is_hidden_in(text, key) for key in keys if len(key) >= SHORTEST_KEY):
        return MASK  # written in a way that cannot be cut out
    return _QUERY.sub(rf"\1{MASK}", _USER.sub(rf"\1{MASK}@", text))


def without_keys(text: str) -> str:
    """A text without the keys of the environment, in any usual spelling. All else stays as it is."""
    spellings = _spellings(_keys())
    return spellings.pattern.sub(MASK, text) if spellings else text


def json_without_keys(value: Any) -> Any:
    """The value of a JSON text, with `without_keys` of its texts. Raises RecursionError."""
    if isinstance(value, str):
        return without_keys(value)
    if isinstance(value, list):
        return [json_without_keys(item) for item in value]
    if isinstance(value, dict):
        return {without_keys(name): json_without_keys(item) for name, item in value.items()}
    return value


def masked_fields(value: Any) -> Any:
    """A JSON value without the texts of fields that are called a key, a token, a password or the like."""
    if isinstance(value, list):
        return [masked_fields(item) for item in value]
    if isinstance(value, dict):
        return {
            name: MASK if isinstance(item, str) and _FIELD.fullmatch(name) else masked_fields(item)
            for name, item in value.items()
        }
    return value


class MaskedPieces:
    """A text that comes in pieces, without the keys of the environment, also those that are cut by its pieces."""

    def __init__(self) -> None:
        self._spellings = _spellings(_keys())
        self._held = ""  # may be the beginning of a key

    def feed(self, piece: str) -> str:
        """Add a piece; what can be given on."""
        if self._spellings is None:
            return piece
        text = self._spellings.pattern.sub(MASK, self._held + piece)
        held = self._spellings.begun_at_end_of(text)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """No more pieces: what was held back. The most of a key is no less secret than all of it."""
        held, self._held = self._held, ""
        return MASK if len(held) >= SHORTEST_KEY else held


def hide_variable(name: str) -> None:
    """What this variable of the environment holds is a key from now on."""
    _hidden_variables[name] = None


def hide(secret: str) -> None:
    """A text is a key from now on."""
    if secret := secret.strip():
        _hidden[secret] = None


def environment_without_keys() -> dict[str, str]:
    """The environment for a process that is to have no keys."""
    return {name: value for name, value in os.environ.items() if name not in _hidden_variables}


def _keys() -> tuple[str, ...]:
    of_environment = (os.environ.get(name, "").strip() for name in _hidden_variables)
    return tuple(key for key in (*of_environment, *_hidden) if key)


class _Spellings:
    """How keys may be written. Small and capital letters count as the same.

    Attributes:
        pattern: any of these
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        found = {each for key in keys for each in _spelt(key) if len(each) >= SHORTEST_KEY}
        self._all = tuple(sorted(found, key=len, reverse=True))
        self.pattern = re.compile("|".join(map(re.escape, self._all)), re.IGNORECASE)

    def begun_at_end_of(self, text: str) -> int:
        """Length of the longest end of a text that begins a key."""
        for length in range(min(len(self._all[0]) - 1, len(text)), 0, -1):
            end = text[-length:].lower()
            if any(each[:length].lower() == end for each in self._all):
                return length
        return 0


@lru_cache(maxsize=4)
def _spellings(keys: tuple[str, ...]) -> _Spellings | None:
    """None where there is nothing to hide."""
    keys = tuple(key for key in keys if len(key) >= SHORTEST_KEY)
    return _Spellings(keys) if keys else None


def _is_hidden_in(text: str, key: str) -> bool:
    import html  # only where there is a key: errors are made by every command

    return key in unquote_plus(text) or key in html.unescape(text)


def _spelt(key: str) -> Iterator[str]:
    import base64
    import html

    data = key.encode("utf-8", "surrogateescape")
    in_json = json.dumps(key)[1:-1]
    yield from (key, quote(data), quote(data, safe=""), quote_plus(data), html.escape(key))
    yield from (in_json, in_json.replace("/", r"\/"))
    for before in range(3):  # base64 of a text that the key is a part of: what no neighbour has a share in
        whole = base64.b64encode(bytes(before) + data + bytes(2)).decode()
        part = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (part, part.translate(str.maketrans("+/", "-_")))
