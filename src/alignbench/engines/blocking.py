"""One request to a pool, and its answer, for callers that wait for it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from alignbench.engines.protocol import (
    Capabilities,
    Done,
    EnginePool,
    Failed,
    Finished,
    LikelihoodRequest,
    Loaded,
    Loading,
    SampleRequest,
    SampleResult,
    Scored,
    Tokenized,
)
from alignbench.errors import EngineError
from alignbench.progress import PERCENT, Progress, silent
from alignbench.spec import Model

A = TypeVar("A")


def events(send: Callable[[Callable[[Any], None]], None], *last: type) -> Iterator[Any]:
    """The events of a request, up to the one that ends it, of a type in `last`.

    send: sends the request, with the sink that it is given.
    """
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    send(inbox.put)
    while not isinstance(event := inbox.get(), last):
        yield event
    yield event


def loaded(pool: EnginePool, model: Model, progress: Progress = silent) -> Capabilities:
    """Load a model where it is not loaded yet. Raises EngineError."""
    if (capabilities := pool.capabilities(model)) is not None:
        return capabilities
    for event in events(lambda sink: pool.load(model, sink), Loaded, Failed):
        match event:
            case Loading(fraction=fraction, stage=stage):
                progress(f"loading {model.name} {stage}".rstrip(), round(fraction * PERCENT), PERCENT)
            case Failed(message=message):
                raise EngineError(message)
            case Loaded(capabilities=capabilities):
                return capabilities
    raise AssertionError("the last event is Loaded or Failed")


def tokenized(pool: EnginePool, model: Model, texts: Sequence[str]) -> Tokenized:
    """The tokens of texts under a loaded model. Raises EngineError."""
    return _answer(Tokenized, lambda sink: pool.tokenize(model, texts, sink))


def scored(
    pool: EnginePool,
    model: Model,
    context: str,
    query: str,
    continuation: str,
    top: int = 5,
    closings: tuple[str, ...] | None = None,
) -> Scored:
    """The log-probs of a continuation under a loaded model. Raises EngineError.

    Args:
        pool: has the model.
        model: reads the texts.
        context: what it has read before; the part that other requests share.
        query: the rest of what it has read before.
        continuation: whose tokens get log-probs.
        top: alternatives to report for each token.
        closings: texts that end a response as an end token does; None does not ask how likely it is to end.
    """
    request = LikelihoodRequest(pool.new_key(), context, query, continuation, top, closings)
    return _answer(Scored, lambda sink: pool.score(model, request, sink))


@dataclass(frozen=True, slots=True)
class ReadFirst:
    """What the model of a server reads before its response.

    Attributes:
        context, query: as text; the part that others share, and the rest
        messages: (role, content), in place of that where the server renders chats itself
    """

    context: str
    query: str
    messages: tuple[tuple[str, str], ...] = ()


def first_tokens(
    pool: EnginePool, model: Model, texts: Sequence[ReadFirst], top: int
) -> Generator[list[tuple[str, float]], None, None]:
    """For each of the texts the likeliest tokens that a response to it may begin with: their texts and log-probs in
    nats, best first. Raises EngineError at the first text of which there are none.

    All are asked for at once. Whoever closes the iterator before its end needs the rest no more: it is cancelled.

    top: how many tokens.
    """
    requests = [
        LikelihoodRequest(pool.new_key(), text.context, text.query, "", top, first=True, messages=text.messages)
        for text in texts
    ]
    inboxes: list[queue.SimpleQueue[Scored | Failed]] = [queue.SimpleQueue() for _ in requests]
    waiting = [request.key for request in requests]
    try:
        for request, inbox in zip(requests, inboxes, strict=True):
            pool.score(model, request, inbox.put)
        for inbox in inboxes:
            answer = inbox.get()
            waiting.pop(0)
            if isinstance(answer, Failed):
                raise EngineError(answer.message)
            if not answer.top_pieces:
                raise EngineError(f"{model.name} says nothing of first tokens.")
            yield list(zip(answer.top_pieces[0], answer.top_logprob[0].tolist(), strict=True))
    finally:
        for key in waiting:
            pool.cancel(model, key)


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


def _answer(kind: type[A], send: Callable[[Callable[[Any], None]], None]) -> A:
    (answer,) = events(send, kind, Failed)
    if isinstance(answer, Failed):
        raise EngineError(answer.message)
    assert isinstance(answer, kind)
    return answer
