"""What an actor is: one model, in an ordinary pool of the machine that the actor is on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from alignbench.engines.blocking import events, loaded
from alignbench.engines.protocol import (
    Done,
    EnginePool,
    Failed,
    LikelihoodRequest,
    Loaded,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
)
from alignbench.engines.workers.base_pool import ModelRequest
from alignbench.engines.workers.messages import WorkerAnswer
from alignbench.errors import EngineError
from alignbench.spec import Model

LAST = (Done, Failed, Scored, Tokenized)  # with one of these a request ends


class Host:
    """Holds a model. What its methods yield are the events of the pool, which Ray streams to the caller."""

    def __init__(self, model: Model, make_pool: Callable[[], EnginePool]) -> None:
        self._model, self._pool = model, make_pool()

    def load(self) -> Iterator[WorkerAnswer]:
        """Load the model: Loading..., then Loaded or Failed."""
        yield from events(lambda sink: self._pool.load(self._model, sink), Loaded, Failed)

    def answer(self, request: ModelRequest) -> Iterator[WorkerAnswer]:
        """Carry out a request; a worker process that has died since the last one is started again."""
        try:
            loaded(self._pool, self._model)
        except EngineError as error:
            yield Failed(request.key, str(error))
            return
        match request:
            case SampleRequest():
                yield from events(lambda sink: self._pool.sample(self._model, request, sink), *LAST)
            case LikelihoodRequest():
                yield from events(lambda sink: self._pool.score(self._model, request, sink), *LAST)
            case TokenizeRequest():
                for event in events(lambda sink: self._pool.tokenize(self._model, request.texts, sink), *LAST):
                    yield replace(event, key=request.key)  # the pool has given it one of its own

    def cancel(self, key: int, samples: tuple[int, ...] | None) -> None:
        """Cancel samples of the request that runs, or all of it."""
        self._pool.cancel(self._model, key, samples)
