"""Helpers that drive a real pool from a test."""

from __future__ import annotations

import itertools
import json
import queue
from collections.abc import Callable

from alignbench.engines.protocol import (
    Done,
    Event,
    Failed,
    Finished,
    LikelihoodRequest,
    Loaded,
    SampleRequest,
    SampleResult,
    Scored,
)
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import Mode, Model, Sampling
from tests.support.waiting import LIMIT

_keys = itertools.count(10_000)


def plain_request(
    samples: tuple[int, ...] | int,
    *,
    prompt: str = "how to relieve stress from work",
    context: str = "# Query:\n```\n",
    mode: Mode = "strict",
    seed: int = 1,
    stream: int = 99,
    stops: tuple[str, ...] = ("```",),
    **sampling: object,
) -> SampleRequest:
    """A zero-shot request; `samples` may be a count."""
    return SampleRequest(
        key=next(_keys),
        context=context,
        query=f"{prompt}\n```\n\n# Answer:\n```\n",
        sampling=Sampling(**{"max_tokens": 24, **sampling}),  # type: ignore[arg-type]
        stops=stops,
        samples=tuple(range(samples)) if isinstance(samples, int) else samples,
        seed=seed,
        stream=stream,
        mode=mode,
    )


def load(pool: WorkerPool, model: Model) -> Event:
    """Load a model; the Loaded or Failed event."""
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    while True:
        event = events.get(timeout=LIMIT)
        if isinstance(event, (Loaded, Failed)):
            return event


def follow(
    pool: WorkerPool, model: Model, request: SampleRequest, watch: Callable[[Event], None] = lambda _: None
) -> list[Event]:
    """Send a request and collect its events up to Done or Failed; `watch` sees each as it comes."""
    events: queue.Queue[Event] = queue.Queue()
    pool.sample(model, request, events.put)
    seen: list[Event] = []
    while not seen or not isinstance(seen[-1], (Done, Failed)):
        seen.append(events.get(timeout=LIMIT))
        watch(seen[-1])
    return seen


def results(events: list[Event]) -> dict[int, SampleResult]:
    """The finished samples by index; the request must not have failed."""
    assert isinstance(events[-1], Done), events[-1]
    return {event.result.sample: event.result for event in events if isinstance(event, Finished)}


def texts(events: list[Event]) -> dict[int, str]:
    return {sample: result.raw_text for sample, result in results(events).items()}


def score(pool: WorkerPool, model: Model, request: SampleRequest, continuation: str) -> Scored:
    """Teacher force a continuation of a request's prompt."""
    answers: queue.Queue[Scored | Failed] = queue.Queue()
    pool.score(model, LikelihoodRequest(next(_keys), request.context, request.query, continuation), answers.put)
    answer = answers.get(timeout=LIMIT)
    assert isinstance(answer, Scored), answer
    return answer


SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "why": {"type": "string", "maxLength": 40},
            "grade": {"enum": [1, 2, 3, "N/A"]},
        },
        "required": ["why", "grade"],
        "additionalProperties": False,
    }
)
