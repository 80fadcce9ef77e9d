"""JSON that a model wrote, found among its thoughts and the words around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from alignbench.json_schema import conform
from alignbench.parsing import parse_json_at

# How models mark what they think before they answer.
_TAGS = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis)\s*>"
_MARK = re.compile(
    rf"(?P<close></{_TAGS}|\[/THINK\]|◁/think▷|<\|(?:END_THINKING|end_of_thought)\|>|<\|channel\|>final)"
    rf"|(?P<open><{_TAGS}|\[THINK\]|◁think▷|<\|(?:START_THINKING|begin_of_thought)\|>|<\|channel\|>analysis)"
    r"|\{",
    re.IGNORECASE,
)
_MOST_STARTS = 2_000  # braces that are tried; a reply has some dozens

_NOTHING_AFTER = "there is no JSON object after the thoughts"


def conforming(reply: str, schema: dict[str, Any]) -> Any:
    """The last JSON object in a reply that has the form of a schema, as the schema has it.

    Thoughts are passed over, and so is text around the object: prose, fences, a schema that is repeated first. Where an
    object is not of the form, those in it are looked at. JSON is taken as it is defined, without comments and trailing
    commas. ValueError says what is wrong, of the object that was read the furthest.
    """
    objects = _Objects(reply)
    problems = [objects.problem]
    for end, value in reversed(objects.values):
        try:
            return conform(value, schema)
        except ValueError as error:
            problems.append((end, str(error)))
        for inner in reversed([*_within(value)]):
            try:
                return conform(inner, schema)
            except ValueError:
                continue  # the object around it is what the message is about
    raise ValueError(max(problems, key=lambda problem: problem[0])[1])


class _Objects:
    """The JSON objects after a reply's thoughts.

    Attributes:
        values: the place after each, and what it is
        problem: the place up to which something was read that is none, and what is wrong with it
    """

    def __init__(self, reply: str) -> None:
        self.values: list[tuple[int, Any]] = []
        self.problem = -1, "there is no JSON object in the reply"
        at = starts = 0
        while (mark := _MARK.search(reply, at)) and starts < _MOST_STARTS:
            at = mark.end()
            if mark["close"]:  # a chat template wrote the opening: all that came before was thought
                self.values, self.problem = [], (at, _NOTHING_AFTER)
            elif mark["open"]:
                close = next((mark for mark in _MARK.finditer(reply, at) if mark["close"]), None)
                if close is None:
                    self.problem = at, "the thoughts have no end"
                    return
                at = close.end()
                self.problem = at, _NOTHING_AFTER
            else:
                starts += 1
                at = self._take(reply, mark.start())

    def _take(self, reply: str, start: int) -> int:
        """Take the object that may begin here in; where to look on."""
        try:
            value, end = parse_json_at(reply, start)  # grammars let line breaks into texts
        except json.JSONDecodeError as error:
            if error.pos > self.problem[0]:
                message = f"the JSON object cannot be read: {error.msg}: character {error.pos + 1}"
                self.problem = error.pos, message
            return start + 1
        except ValueError as error:
            self.problem = len(reply), f"the JSON object cannot be read: {error}"
            return len(reply)
        self.values.append((end, value))
        return end


def _within(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a value, in the order in which they begin."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict) and each is not value:
            yield each
        if isinstance(each, (dict, list)):
            waiting.extend(reversed([*(each.values() if isinstance(each, dict) else each)]))
