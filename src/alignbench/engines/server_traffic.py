"""What servers are sent and when they answer, for who wants to see it.

Requests are made in worker processes: a worker whose front end listens sends it these values like any other answer.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alignbench.masking import masked, masked_fields


@dataclass(frozen=True, slots=True)
class Sent:
    """A request went to a server.

    Attributes:
        process, number: which one, the number counted by the process that asks
        url, body: without secrets; body is JSON, empty where there is none
    """

    process: int
    number: int
    method: str
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A request is over.

    Attributes:
        process, number: as in Sent
        status: of HTTP, None where no answer came
        head, seconds: from the request to the head of its answer, and to its end
        problem: why it ended before its end, without secrets; empty where it did not
    """

    process: int
    number: int
    status: int | None
    head: float | None
    seconds: float
    problem: str = ""


Traffic = Sent | Answered
Listener = Callable[[Traffic], None]


def listen(listener: Listener | None) -> None:
    """Call this with all that comes from now on, of this process and of workers that are started from now on."""
    global _listener
    _listener = listener


def is_heard() -> bool:
    """Whether anybody listens."""
    return _listener is not None


def tell(traffic: Traffic) -> None:
    """Tell who listens, if anybody."""
    if (listener := _listener) is not None:
        listener(traffic)


@contextmanager
def request(method: str, url: str, body: Mapping[str, Any] | None) -> Iterator[Callable[[int], None]]:
    """While a request is under way; to be called with its status once the head of the answer is there."""
    if _listener is None:
        yield lambda _: None
        return
    process, number, begun = os.getpid(), next(_numbers), time.perf_counter()
    text = "" if body is None else masked(json.dumps(masked_fields(dict(body)), ensure_ascii=False))
    tell(Sent(process, number, method, masked(url), text))
    status: int | None = None
    head: float | None = None
    problem = ""

    def answered(of_answer: int) -> None:
        nonlocal status, head
        status, head = of_answer, time.perf_counter() - begun

    try:
        yield answered
    except GeneratorExit:  # who reads a stream has had what there was to read
        raise
    except CancelledError:
        problem = "left before its end"
        raise
    except Exception as error:  # raised on: this only says how the request ended
        words = masked(" ".join(str(error).split()))
        problem = f"{type(error).__name__}: {words}" if words else type(error).__name__
        raise
    finally:
        tell(Answered(process, number, status, head, time.perf_counter() - begun, problem))


_listener: Listener | None = None
_numbers = itertools.count(1)
