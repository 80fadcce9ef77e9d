"""A pool whose questions can be given up, and that says how far they are."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from alignbench.engines.protocol import (
    LOAD,
    Capabilities,
    Done,
    Embedded,
    EmbedPool,
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
    TokensEmbedded,
)
from alignbench.spec import Model

GIVEN_UP = "Given up."


class CancellablePool:
    """Questions to a pool that are given up together.

    As a pool it is asked for models, and for embeddings where the pool that embeds is given.
    """

    def __init__(
        self, pool: EnginePool, embed: EmbedPool | None = None, report: Callable[[str], None] = lambda _: None
    ) -> None:
        """report: told from the pool's threads what a model is doing."""
        self._pool, self._embed, self._report = pool, embed, report
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Callable[[Failed], None], Callable[[], None]]] = {}  # and what cancels it
        self._keys = itertools.count(1)
        self._stopped = False

    def stop(self, *, for_good: bool = False) -> None:
        """Whoever waits for an answer gets a failure now; what is done for it is cancelled.

        for_good: who asks later gets one too.
        """
        with self._lock:
            waiting, self._open = self._open, {}
            self._stopped |= for_good
        for sink, cancel in waiting.values():
            sink(Failed(LOAD, GIVEN_UP))
            cancel()

    def load(self, model: Model, sink: Sink) -> None:
        end = self._begin(sink, lambda: self._pool.cancel(model, LOAD))
        if end is None:
            return

        def follow(event: Event) -> None:
            if isinstance(event, Loading):
                self._report(f"loading {model.name} {event.fraction:.0%}")
            else:
                end()
            sink(event)

        self._pool.load(model, follow)

    def capabilities(self, model: Model) -> Capabilities | None:
        return self._pool.capabilities(model)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        end = self._begin(sink, lambda: self._pool.cancel(model, request.key))
        if end is None:
            return
        n_tokens = 0

        def follow(event: Event) -> None:
            nonlocal n_tokens
            if isinstance(event, TextDeltas):
                n_tokens = max((n_tokens, *(delta.n_tokens for delta in event.deltas)))
                self._report(f"{model.name} writes: {n_tokens} tokens")
            elif isinstance(event, Done | Failed):
                end()
            sink(event)

        self._pool.sample(model, request, follow)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self._ask(lambda follow: self._pool.score(model, request, follow), sink, model, request.key)

    def tokenize(self, model: Model, texts: Sequence[str], sink: Callable[[Tokenized | Failed], None]) -> None:
        self._ask(lambda follow: self._pool.tokenize(model, texts, follow), sink, model, LOAD)

    def embed(
        self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None], prefix: str | None = None
    ) -> None:
        embed = self._embedder
        given = () if prefix is None else (prefix,)
        self._ask(lambda follow: embed.embed(texts, follow, *given), sink)

    def embed_tokens(self, texts: tuple[str, ...], sink: Callable[[TokensEmbedded | Failed], None]) -> None:
        embed = self._embedder
        self._ask(lambda follow: embed.embed_tokens(texts, follow), sink)

    def cancel_embedding(self, sink: Callable[[Any], None]) -> None:
        self._embedder.cancel_embedding(sink)

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        self._pool.cancel(model, key, samples)

    def new_key(self) -> int:
        return self._pool.new_key()

    def unload(self, model: Model) -> None:
        self._pool.unload(model)

    def close(self) -> None:
        """The pool stays."""

    @property
    def _embedder(self) -> EmbedPool:
        assert self._embed is not None
        return self._embed

    def _ask(
        self,
        send: Callable[[Callable[[Any], None]], None],
        sink: Callable[[Any], None],
        model: Model | None = None,
        key: int = LOAD,
    ) -> None:
        """A request with one answer. model: None is for the one that embeds."""

        def cancel() -> None:
            if model is None:
                self.cancel_embedding(follow)
            else:
                self._pool.cancel(model, key)

        def follow(answer: object) -> None:
            if end is not None:
                end()
            sink(answer)

        end = self._begin(sink, cancel)
        if end is not None:
            send(follow)

    def _begin(self, sink: Callable[[Failed], None], cancel: Callable[[], None]) -> Callable[[], None] | None:
        """What is to be called when a request has its answer; None where it has a refusal already."""
        place = next(self._keys)
        with self._lock:
            stopped = self._stopped
            if not stopped:
                self._open[place] = (sink, cancel)
        if stopped:
            sink(Failed(LOAD, GIVEN_UP))
            return None
        return lambda: self._end(place)

    def _end(self, place: int) -> None:
        with self._lock:
            self._open.pop(place, None)
