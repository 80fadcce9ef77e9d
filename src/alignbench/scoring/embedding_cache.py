"""Embeddings of many texts, each made once ever: kept in a database by (model, text hash), made in a worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from alignbench.config import NOT_IN_USE
from alignbench.engines.embedder import WINDOW_MODE
from alignbench.engines.protocol import Embedded, EmbedPool, Failed
from alignbench.errors import StoreError
from alignbench.metrics.words import is_empty
from alignbench.progress import Progress, silent
from alignbench.scoring.pending_embeddings import PendingEmbeddings
from alignbench.spec import content_hash
from alignbench.store import Store

_REQUEST = 256  # texts: enough for the worker to put texts of one length together
_FLYING = 2  # requests at a time, so that the worker never waits for the next one

Vector = NDArray[np.float32]  # (dim,)
_Batch = dict[str, str]  # text hash -> text


class Embeddings:
    """The vectors of one model, in a store that keeps them.

    why_not: why texts that are not kept have no vector, empty as long as they can be made.
    """

    def __init__(
        self,
        store: Store,
        pool: EmbedPool | None,
        model: str,
        why_not: str = NOT_IN_USE,
        prefix: str | None = None,
    ) -> None:
        """What is embedded, and where it is kept.

        Args:
            store: keeps the vectors
            pool: makes them; without one only kept ones are there
            model: name of the pool's model, under which its vectors are kept
            why_not: why there is no pool
            prefix: written before each text, which makes other vectors of it; None for what the model asks for
        """
        self._store, self._pool, self._model, self._prefix = store, pool, model, prefix
        self._unkept: dict[str, Vector] = {}  # by text hash, where the store does not take them
        self._kept_as = model if prefix is None else f"{model}+{content_hash(prefix)[:12]}"
        self.why_not = "" if pool is not None else why_not

    def make(
        self, texts: Iterable[str], progress: Progress = silent, *, what: str = "embedding", total: int = 0
    ) -> None:
        """Embed the texts that are not kept yet, and keep them.

        Args:
            texts: looked at one after the other, so that they need not fit into memory.
            progress: told how many texts are dealt with.
            what: it is told that is done.
            total: how many texts there are, for it.
        """
        if self._pool is None:
            return
        dealt = 0
        flying: deque[tuple[_Batch, PendingEmbeddings[Embedded]]] = deque()
        batches = self._missing(texts)
        while True:
            while len(flying) < _FLYING and not self.why_not and (following := next(batches, None)) is not None:
                batch, seen = following
                dealt += seen - len(batch)
                if batch:
                    flying.append((batch, PendingEmbeddings(self._embed, tuple(batch.values()))))
                progress(what, dealt, total)
            if not flying:
                return
            batch, pending = flying.popleft()
            answer = pending.wait()
            if isinstance(answer, Failed):
                self.why_not = f"embeddings failed: {answer.message}"
                continue
            self._keep(batch, answer)
            dealt += len(batch)
            progress(what, dealt, total)

    def vectors(self, texts: Iterable[str]) -> dict[str, Vector]:
        """By text, of those that have one. A zero vector says that a text has no token to embed."""
        keys = {text: content_hash(text) for text in texts}
        kept = self._known(keys.values())
        return {text: kept[key] for text, key in keys.items() if key in kept}

    def _known(self, keys: Collection[str]) -> dict[str, Vector]:
        kept = self._store.embeddings(self._kept_as, keys)
        return kept | {key: self._unkept[key] for key in keys if key in self._unkept} if self._unkept else kept

    def _embed(self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None]) -> None:
        assert self._pool is not None
        if self._prefix is None:
            self._pool.embed(texts, sink)
        else:
            self._pool.embed(texts, sink, self._prefix)

    def _missing(self, texts: Iterable[str]) -> Iterator[tuple[_Batch, int]]:
        """Requests' worth of different texts that are not kept, and how many texts were looked at for each."""
        asked: set[str] = set()
        for looked, seen in _chunks(texts):
            asked_before = looked.keys() & asked
            kept = self._known(looked.keys() - asked_before).keys()
            batch = {key: text for key, text in looked.items() if key not in kept and key not in asked_before}
            asked |= batch.keys()
            yield batch, seen

    def _keep(self, batch: _Batch, answer: Embedded) -> None:
        if answer.model != self._model:
            self.why_not = f"the embedding model is {answer.model}, not {self._model}"
            return
        vectors = dict(zip(batch, answer.vectors, strict=True))
        windows = dict(zip(batch, answer.windows, strict=True))
        try:
            if not self._unkept:
                self._store.add_embeddings(self._kept_as, vectors, windows=windows, mode=WINDOW_MODE)
                return
        except StoreError:  # read-only, locked, a full disk: they are made again the next time
            pass
        self._unkept |= vectors


def _chunks(texts: Iterable[str]) -> Iterator[tuple[_Batch, int]]:
    """Different texts that are not empty, at most a request's worth at a time, and how many texts they stand for."""
    chunk: _Batch = {}
    seen = 0
    for text in texts:
        seen += 1
        if not is_empty(text):
            chunk[content_hash(text)] = text
        if len(chunk) == _REQUEST:
            yield chunk, seen
            chunk, seen = {}, 0
    if seen:
        yield chunk, seen
