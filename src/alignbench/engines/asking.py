"""One question to a pool, and its answer: for callers that have nothing to do meanwhile."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

from alignbench.engines.protocol import (
    Capabilities,
    Done,
    EnginePool,
    Event,
    Failed,
    Finished,
    Loaded,
    Loading,
    SampleRequest,
    SampleResult,
    Tokenized,
)
from alignbench.errors import EngineError
from alignbench.spec import Model


def loaded(pool: EnginePool, model: Model, loading: Callable[[float], None] = lambda _: None) -> Capabilities:
    """Load a model, or find that it is. loading: told how much of it is, 0 to 1. Raises EngineError."""
    if (capabilities := pool.capabilities(model)) is not None:
        return capabilities
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    pool.load(model, events.put)
    while not isinstance(event := events.get(), Loaded):
        if isinstance(event, Failed):
            raise EngineError(event.message)
        if isinstance(event, Loading):
            loading(event.fraction)
    return event.capabilities


def tokenized(pool: EnginePool, model: Model, texts: Sequence[str]) -> Tokenized:
    """The tokens of texts under a loaded model. Raises EngineError."""
    answers: queue.SimpleQueue[Tokenized | Failed] = queue.SimpleQueue()
    pool.tokenize(model, texts, answers.put)
    answer = answers.get()
    if isinstance(answer, Failed):
        raise EngineError(answer.message)
    return answer


def completed(pool: EnginePool, model: Model, request: SampleRequest) -> SampleResult:
    """The one sample of a request to a loaded model. Raises EngineError."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    pool.sample(model, request, events.put)
    result: SampleResult | None = None
    while not isinstance(event := events.get(), Done):
        if isinstance(event, Failed):
            raise EngineError(event.message)
        if isinstance(event, Finished):
            result = event.result
    if result is None:
        raise EngineError(f"{model.name} gave no answer.")
    return result
