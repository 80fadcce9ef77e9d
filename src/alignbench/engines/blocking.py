"""One question to a pool, and its answer: for callers that have nothing to do meanwhile."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from alignbench.engines.protocol import (
    Capabilities,
    Done,
    EnginePool,
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


def events(ask: Callable[[Callable[[Any], None]], None], *last: type) -> Iterator[Any]:
    """What comes of a question up to the event that ends it, one of the types in `last`, which is the last to come.

    ask: puts the question, with the sink that it is given.
    """
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    ask(inbox.put)
    while not isinstance(event := inbox.get(), last):
        yield event
    yield event


def loaded(pool: EnginePool, model: Model, loading: Callable[[float], None] = lambda _: None) -> Capabilities:
    """Load a model, or find that it is. loading: told how much of it is, 0 to 1. Raises EngineError."""
    if (capabilities := pool.capabilities(model)) is not None:
        return capabilities
    for event in events(lambda sink: pool.load(model, sink), Loaded, Failed):
        match event:
            case Loading(fraction=fraction):
                loading(fraction)
            case Failed(message=message):
                raise EngineError(message)
            case Loaded(capabilities=capabilities):
                return capabilities
    raise AssertionError("the last event is Loaded or Failed")


def tokenized(pool: EnginePool, model: Model, texts: Sequence[str]) -> Tokenized:
    """The tokens of texts under a loaded model. Raises EngineError."""
    (answer,) = events(lambda sink: pool.tokenize(model, texts, sink), Tokenized, Failed)
    if isinstance(answer, Failed):
        raise EngineError(answer.message)
    assert isinstance(answer, Tokenized)
    return answer


def completed(pool: EnginePool, model: Model, request: SampleRequest) -> SampleResult:
    """The one sample of a request to a loaded model. Raises EngineError."""
    result: SampleResult | None = None
    for event in events(lambda sink: pool.sample(model, request, sink), Done, Failed):
        if isinstance(event, Failed):
            raise EngineError(event.message)
        if isinstance(event, Finished):
            result = event.result
    if result is None:
        raise EngineError(f"{model.name} gave no answer.")
    return result
