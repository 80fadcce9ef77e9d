"""What servers say when they refuse or fail, and whether another try may help. They say it in many forms."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from alignbench.errors import EngineError
from alignbench.masking import masked
from alignbench.parsing import parse_json

RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529))  # the last six are proxies'
UNABLE = frozenset((400, 422, 500, 501))  # to a request that asks for more than a server can do
NOT_THERE = frozenset((404, 405))  # to a path that a server does not have

MOST_SHOWN = 400  # characters of a server's words in a message
_MOST_READ = 8_000
_DEEPEST = 6

_WORDS = ("error", "errors", "detail", "message", "msg", "error_message", "error_msg", "error_description", "title")
_CODES = ("code", "status", "status_code", "statusCode", "error_code", "type")
# Words of these fields, as a status of HTTP.
_MEANINGS = (
    (r"quota|billing|credit|payment", 402),
    (r"rate.?limit|too.?many", 429),
    (r"overload|unavailable|capacity|loading", 503),
    (r"time.?out", 504),
    (r"auth|api.?key", 401),
    (r"permission|forbidden", 403),
    (r"not.?found", 404),
    (r"invalid|unsupported|bad.?request|context.?length|validation", 400),
    (r"server|internal|api.?error", 500),
)


class ServerError(EngineError):
    """A request failed. retry: another try may help. after: seconds the server asks to wait. status: of HTTP, 0
    without an answer. param: the field of the request that the server names. detail: what the server said. kind: its
    name for it, such as unsupported_parameter."""

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        after: float | None = None,
        status: int = 0,
        param: str = "",
        detail: str = "",
        kind: str = "",
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.after = after
        self.status = status
        self.param = param
        self.detail = detail
        self.kind = kind

    @property
    def is_general(self) -> bool:
        """Whether other requests would fare no better: the server gives no answer, has no time, or lets nobody in."""
        return self.status in (0, 401, 403) or self.status in RETRIED - UNABLE

    def settle(self, statuses: Collection[int]) -> None:
        """Of these statuses another try does not help."""
        self.retry = self.retry and self.status not in statuses

    @property
    def about_request(self) -> bool:
        """Whether the server refuses the request as it is written."""
        return self.status in (400, 422)


@dataclass(frozen=True, slots=True)
class Said:
    """What a server says of a failure.

    Attributes:
        words: without keys; empty where it says nothing
        param: the field of the request that it is about
        code: a status of HTTP, as far as one is said; else 0
        kind: the server's name for it, such as unsupported_parameter
    """

    words: str = ""
    param: str = ""
    code: int = 0
    kind: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether nothing that is said speaks against another try."""
        return self.code == 0 or self.code in RETRIED


def said(value: object, depth: int = 0) -> Said:
    """What the JSON of an error says, in any of the forms that servers use."""
    if isinstance(value, str):
        return Said(_line(value))
    if depth > _DEEPEST:
        return Said()
    if isinstance(value, list):
        return next((found for item in value if (found := said(item, depth + 1)).words), Said())
    if not isinstance(value, dict):
        return Said()
    found = next((each for name in _WORDS if (each := said(value.get(name), depth + 1)).words), Said())
    if isinstance(where := value.get("loc"), list):  # FastAPI: {"loc": ["body", FIELD], "msg": ...}
        fields = [str(part) for part in where if part != "body"]
        found = replace(found, words=f"{'.'.join(fields)}: {found.words}", param=fields[0] if fields else "")
    param = value.get("param")
    kind = next((value[name] for name in ("code", "type") if isinstance(value.get(name), str)), "")
    return replace(
        found,
        param=found.param or (param if isinstance(param, str) else ""),
        code=found.code or _code(value),
        kind=found.kind or kind[:100],
    )


def failure_in(answer: object) -> Said | None:
    """What is said where an answer with status 200 is an error all the same."""
    if isinstance(answer, list):
        return said(answer) if answer and isinstance(answer[0], dict) and answer[0].get("error") else None
    if not isinstance(answer, dict):
        return None
    if answer.get("error") or answer.get("object") == "error":
        return said(answer)
    if {"choices", "data", "models", "object", "id"} & set(answer):
        return None
    found = said(answer)
    return found if found.words else None


def refusal_words(body: bytes, kind: str) -> Said:
    """What the body of a refusal says; without words where it is no JSON that has any. kind: its content type."""
    try:
        return said(parse_json(body))
    except ValueError:
        pass
    text = body.decode("utf-8", "replace")
    if "text/plain" in kind and _is_text(text) and text.strip():
        return Said(_line(text))
    return Said()


def nature(body: bytes, kind: str) -> str:
    """What a body is that is not what it should be. kind: its content type."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text:
        return "nothing"
    if "html" in kind or re.match(r"<(!doctype\s+html|html)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>([^<]*)</title", text, re.IGNORECASE)
        called = excerpt(title[1], 80) if title else ""
        return f"a web page (HTML){f', {called!r},' if called else ''} where JSON was expected"
    if not _is_text(text):
        return "data that is no text where JSON was expected"
    return f"{excerpt(text, 80)!r} where a JSON object was expected"


def excerpt(text: str, most: int = MOST_SHOWN) -> str:
    """The beginning of a text on one line, for a message."""
    line = _line(text)
    return line if len(line) <= most else f"{line[:most]}…"


def _line(text: str) -> str:
    """A text on one line. Keys are masked before anything is cut off: half a key is none that could be found."""
    return " ".join(masked(text[: 4 * _MOST_READ]).split())[:_MOST_READ]


def _is_text(text: str) -> bool:
    start = text[:1000]
    odd = sum(character == "\ufffd" or (character < " " and character not in "\t\r\n\x1b") for character in start)
    return odd * 20 <= len(start)


def _code(error: dict[str, Any]) -> int:
    for name in _CODES:
        value = error.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
        if isinstance(value, str):
            meant = next((code for words, code in _MEANINGS if re.search(words, value[:100], re.IGNORECASE)), 0)
            if meant:
                return meant
    return 0
