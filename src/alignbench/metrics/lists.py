"""Lists in responses: lines that begin with a number or a bullet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alignbench.metrics.formula import share_of_responses
from alignbench.metrics.metric import Metric

_NUMBERED = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)
_BULLETED = re.compile(r"^[ \t]*[-*+\u2022\u2013][ \t]+(?=\S)", re.MULTILINE)
_ITEMS = 2  # from which lines are a list


def list_items(text: str) -> tuple[int, int]:
    """How many items of numbered lists a text has, counted up from 1, and how many of bulleted ones."""
    return sum(1 for _ in _numbers(text)), len(_BULLETED.findall(text))


def item_markers(text: str) -> Iterator[tuple[int, int]]:
    """From where to where the number or bullet of each of these items reaches, in characters, with the white space
    around it."""
    yield from (match.span() for match in (*_numbers(text), *_BULLETED.finditer(text)))


def _numbers(text: str) -> Iterator[re.Match[str]]:
    following = 0
    for match in _NUMBERED.finditer(text):
        number = int(match[1])
        if number == 1 or number == following:
            following = number + 1
            yield match


def has_list(text: str) -> bool:
    """Whether a text has a numbered or a bulleted list of two items or more."""
    return max(list_items(text)) >= _ITEMS


METRICS = (
    Metric(
        name="list_markers",
        title="lists",
        meaning="Share of responses with a list: two lines or more that begin with 1., 2. and so on, or with a bullet.",
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="",
        source="as in the code of Lake, Choi and Durrett 2024, arXiv 2406.17692; markers of our own",
        version="1",
        needs=("text",),
        min_samples=1,
        formula=share_of_responses(has_list),
        order=14,
    ),
)
