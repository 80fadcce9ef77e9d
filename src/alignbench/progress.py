"""How far a piece of work is, said by whoever does it to whoever shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
PERCENT = 100  # a total of work that has no things to count


class Progress(Protocol):
    """Called from the thread that works, often; what it raises ends the work.

    Args:
        what: is being done, in words; work that has several parts names one after the other.
        done: things that are done, 0 to total.
        total: things in all, or PERCENT.
    """

    def __call__(self, what: str, done: int, total: int, /) -> None: ...


def silent(_what: str, _done: int, _total: int, /) -> None:
    """Progress that nobody looks at."""


def tracked(items: Collection[T], progress: Progress, what: str) -> Iterator[T]:
    """The items; each counts as done when the next one is asked for."""
    for done, item in enumerate(items, start=1):
        yield item
        progress(what, done, len(items))
