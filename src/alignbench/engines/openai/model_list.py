"""A server's list of models, in the forms in which servers give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_LISTS = ("data", "models", "items", "result")
_NAMES = ("id", "name", "model", "slug")
_MORE = ("has_more", "next", "next_page", "next_page_token", "nextPageToken", "next_cursor")


@dataclass(frozen=True, slots=True)
class ModelList:
    """Attributes:
    entries: by name
    whole: whether a model that is not among them is not served
    """

    entries: dict[str, dict[str, Any]]
    whole: bool


UNKNOWN = ModelList({}, whole=False)  # the server has no list


def read_models(answer: object) -> ModelList | None:
    """The list in an answer; None where there is none."""
    listed = answer
    if isinstance(answer, dict):
        listed = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list | dict)), None)
    if isinstance(listed, dict):
        listed = [{"id": name, **(entry if isinstance(entry, dict) else {})} for name, entry in listed.items()]
    if not isinstance(listed, list):
        return None
    entries: dict[str, dict[str, Any]] = {}
    for item in listed:
        entry = item if isinstance(item, dict) else {"id": item}
        if name := next((entry[name] for name in _NAMES if entry.get(name)), None):
            entries.setdefault(str(name), entry)
    more = isinstance(answer, dict) and any(answer.get(name) for name in _MORE)
    return ModelList(entries, whole=not more and len(entries) >= bool(listed))


def whole_number(value: object) -> int:
    """A count of a server's; 0 where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    return value if isinstance(value, int) and 0 < value < 2**40 else 0
