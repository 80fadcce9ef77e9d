"""A pool whose questions can be given up, and that says how far they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from alignbench.engines.protocol import (
    Capabilities,
    Done,
    EnginePool,
    Event,
    Failed,
    LikelihoodRequest,
    Loading,
    SampleRequest,
    Scored,
    Sink,
    TextDeltas,
    Tokenized,
)
from alignbench.spec import Model

GIVEN_UP = "Given up."


class CancellablePool:
    """The pool of the app for one edit session. report: told from the pool's threads what a model is doing."""

    def __init__(self, pool: EnginePool, report: Callable[[str], None]) -> None:
        self._pool, self._report = pool, report
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Callable[[Failed], None], Model | None]] = {}

    def stop(self) -> None:
        """Whoever waits for an answer gets a failure now; what models were generating for it is cancelled."""
        with self._lock:
            waiting, self._open = self._open, {}
        for key, (sink, model) in waiting.items():
            sink(Failed(key, GIVEN_UP))
            if model is not None:
                self._pool.cancel(model, key)

    def load(self, model: Model, sink: Sink) -> None:
        key = self._begin(sink, None)

        def follow(event: Event) -> None:
            if isinstance(event, Loading):
                self._report(f"loading {model.name} {event.fraction:.0%}")
            else:
                self._end(key)
            sink(event)

        self._pool.load(model, follow)

    def capabilities(self, model: Model) -> Capabilities | None:
        return self._pool.capabilities(model)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self._begin(sink, model, request.key)
        n_tokens = 0

        def follow(event: Event) -> None:
            nonlocal n_tokens
            if isinstance(event, TextDeltas):
                n_tokens = max((n_tokens, *(delta.n_tokens for delta in event.deltas)))
                self._report(f"{model.name} writes: {n_tokens} tokens")
            elif isinstance(event, Done | Failed):
                self._end(request.key)
            sink(event)

        self._pool.sample(model, request, follow)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self._pool.score(model, request, sink)

    def tokenize(self, model: Model, texts: Sequence[str], sink: Callable[[Tokenized | Failed], None]) -> None:
        key = self._begin(sink, None)

        def follow(event: Tokenized | Failed) -> None:
            self._end(key)
            sink(event)

        self._pool.tokenize(model, texts, follow)

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        self._pool.cancel(model, key, samples)

    def new_key(self) -> int:
        return self._pool.new_key()

    def unload(self, model: Model) -> None:
        self._pool.unload(model)

    def close(self) -> None:
        """The pool is the app's and stays."""

    def _begin(self, sink: Callable[[Failed], None], model: Model | None, key: int | None = None) -> int:
        key = self._pool.new_key() if key is None else key
        with self._lock:
            self._open[key] = (sink, model)
        return key

    def _end(self, key: int) -> None:
        with self._lock:
            self._open.pop(key, None)
