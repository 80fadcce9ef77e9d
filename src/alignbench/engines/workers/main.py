"""The process that holds one model: `python -m alignbench.engines.workers.main FD PARENT`.

It reads requests from the socket FD and writes events to it; it ends with the process PARENT. A segmentation fault, an
abort or a kill ends this process and nothing else. stdout and stderr are a log file: native code writes there, never to
the front end.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeGuard

from alignbench.child_process import end_with_parent, kill_group
from alignbench.engines import server_traffic
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import (
    LOAD,
    Embedded,
    Entailed,
    Event,
    Failed,
    LikelihoodRequest,
    Loaded,
    Loading,
    SampleRequest,
    TokenizeRequest,
    TokensEmbedded,
)
from alignbench.engines.workers.factory import open_engine
from alignbench.engines.workers.messages import (
    AdapterLoaded,
    Cancel,
    EmbedRequest,
    EntailmentRequest,
    Load,
    LoadAdapter,
    LoadEmbedder,
    LoadModel,
    LoadNli,
    Message,
    Request,
    SetThreads,
    WithAdapter,
    WorkerAnswer,
)
from alignbench.errors import AlignbenchError, EngineError, EngineLost
from alignbench.masking import masked
from alignbench.models.adapter import Adapter

MAX_BATCH = 64  # requests of fast mode that run together


class _Served(Protocol):
    """What this process serves once a model is loaded."""

    threads: int
    takes_more: bool  # whether requests that come are carried out beside those that run

    def answer(
        self,
        requests: Sequence[Request],
        send: Callable[[WorkerAnswer], None],
        adapter: Adapter | None = None,
        more: Callable[[], Sequence[Any]] | None = None,
    ) -> None: ...


class _ServedModel:
    def __init__(self, message: LoadModel, cancel: Cancellation, send: Callable[[Event], None]) -> None:
        start = time.perf_counter()
        name = message.model.name
        send(Loading(name, 0.0))
        self._engine = open_engine(
            message.model,
            cancel,
            message.threads,
            lambda fraction, stage="": send(Loading(name, fraction, stage)),
            awaited=message.adapter,
        )
        self.takes_more = self._engine.takes_more
        send(Loaded(name, self._engine.capabilities(), time.perf_counter() - start))

    @property
    def threads(self) -> int:
        return self._engine.threads

    @threads.setter
    def threads(self, threads: int) -> None:
        self._engine.threads = threads

    def answer(
        self,
        requests: Sequence[Request],
        send: Callable[[WorkerAnswer], None],
        adapter: Adapter | None = None,
        more: Callable[[], Sequence[Any]] | None = None,
    ) -> None:
        start = time.perf_counter()
        self._engine.use(adapter)
        match requests:
            case [LoadAdapter() as asked]:
                send(AdapterLoaded(asked.key, self._engine.capabilities(), time.perf_counter() - start))
            case [LikelihoodRequest(), *_]:
                for answer in self._engine.score_all([r for r in requests if isinstance(r, LikelihoodRequest)], more):
                    send(answer)
            case [TokenizeRequest() as request]:
                send(self._engine.tokens(request))
            case _:
                for event in self._engine.sample([r for r in requests if isinstance(r, SampleRequest)], more):
                    send(event)


class _ServedEmbedder:
    takes_more = False

    def __init__(self, message: LoadEmbedder) -> None:
        from alignbench.engines.embedder import Embedder

        self._embedder = Embedder(message.path, threads=message.threads)
        self.threads = message.threads

    def answer(
        self,
        requests: Sequence[Request],
        send: Callable[[WorkerAnswer], None],
        adapter: Adapter | None = None,  # noqa: ARG002
        more: Callable[[], Sequence[Any]] | None = None,  # noqa: ARG002
    ) -> None:
        for request in requests:
            assert isinstance(request, EmbedRequest)
            if request.tokens:
                of_texts = self._embedder.token_vectors(request.texts)
                vectors, counts = zip(*of_texts, strict=True) if of_texts else ((), ())
                send(TokensEmbedded(request.key, vectors, counts, self._embedder.name, self._embedder.token_layer))
            else:
                whole, windows = self._embedder.embed(request.texts, request.prefix)
                send(Embedded(request.key, whole, tuple(windows), self._embedder.name))


class _ServedNli:
    takes_more = False

    def __init__(self, message: LoadNli) -> None:
        from alignbench.engines.nli import NliModel

        self._model = NliModel(message.path, threads=message.threads)
        self.threads = message.threads

    def answer(
        self,
        requests: Sequence[Request],
        send: Callable[[WorkerAnswer], None],
        adapter: Adapter | None = None,  # noqa: ARG002
        more: Callable[[], Sequence[Any]] | None = None,  # noqa: ARG002
    ) -> None:
        for request in requests:
            assert isinstance(request, EntailmentRequest)
            entails, cut = self._model.entails(request.pairs)
            send(Entailed(request.key, entails, cut, self._model.name))


def _parted(message: Load | Request | WithAdapter) -> tuple[Adapter | None, Load | Request]:
    """A message, and the adapter that it is meant for."""
    return (message.adapter, message.request) if isinstance(message, WithAdapter) else (None, message)


def _is_like(request: Load | Request, other: Request) -> TypeGuard[Request]:
    """Whether a request can be carried out beside another one: both are for samples, or both for log-probs."""
    return any(isinstance(request, kind) and isinstance(other, kind) for kind in (SampleRequest, LikelihoodRequest))


class _Worker:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox: queue.Queue[Load | Request | WithAdapter] = queue.Queue()
        self._next: Load | Request | WithAdapter | None = None  # taken from the inbox, not served yet
        self._cancel = Cancellation()
        self._served: _Served | None = None

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            message, self._next = self._next or self._inbox.get(), None
            adapter, first = _parted(message)
            if isinstance(first, (LoadModel, LoadEmbedder, LoadNli)):
                self._guard([0], partial(self._load, first))
            else:
                batch = self._with_companions(first, adapter)
                keys = [request.key for request in batch]
                self._guard(keys, partial(self._answer, batch, adapter, keys))

    def _with_companions(self, first: Request, adapter: Adapter | None) -> list[Request]:
        """Requests of fast mode that wait under the same context, of the same adapter, run together."""
        batch = [first]
        while isinstance(first, SampleRequest) and first.mode == "fast" and len(batch) < MAX_BATCH:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            theirs, following = _parted(message)
            if not (
                isinstance(following, SampleRequest)
                and theirs == adapter
                and following.mode == "fast"
                and following.context == first.context
            ):
                self._next = message
                break
            batch.append(following)
        return batch

    def _more(self, like: Request, adapter: Adapter | None, keys: list[int]) -> list[Request]:
        """The requests for samples, or for log-probs, of an adapter that wait in front; their keys go to the others.

        like: which of the two.
        """
        taken: list[Request] = []
        while self._next is None:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            theirs, request = _parted(message)
            if _is_like(request, like) and theirs == adapter:
                taken.append(request)
            else:
                self._next = message
        keys += [request.key for request in taken]
        return taken

    def _read(self) -> None:
        """Messages that must act at once are carried out here, beside the request that runs."""
        while True:
            try:
                message: Message = self._connection.recv()
            except (EOFError, OSError):
                kill_group(0)  # the front end is gone: this process, and what it started
            match message:
                case Cancel():
                    self._cancel.cancel(message.key, message.samples)
                case SetThreads():
                    if self._served:
                        self._served.threads = message.threads
                case _:
                    self._inbox.put(message)

    def _load(self, message: Load) -> None:
        match message:
            case LoadModel():
                if message.traffic:
                    server_traffic.listen(self._send)
                self._served = _ServedModel(message, self._cancel, self._send)
            case LoadEmbedder():
                self._served = _ServedEmbedder(message)
            case LoadNli():
                self._served = _ServedNli(message)

    def _answer(self, batch: Sequence[Request], adapter: Adapter | None, keys: list[int]) -> None:
        """keys: of the batch; gets those of what is carried out with it."""
        assert self._served is not None
        if isinstance(batch[0], LoadAdapter) and self._cancel.whole(batch[0].key):
            raise EngineError("It was cancelled.")
        more = partial(self._more, batch[0], adapter, keys) if self._served.takes_more else None
        self._served.answer(batch, self._send, adapter, more)

    def _guard(self, keys: Sequence[int], work: Callable[[], None]) -> None:
        """Do some work; if it fails, so do the requests it was for."""
        message = ""
        try:
            work()
        except EngineLost as error:
            self._send(Failed(LOAD, str(error)))  # which ends this process
            return
        except AlignbenchError as error:
            message = str(error)
        except Exception as error:  # the boundary of the process: whatever it was, it belongs to these requests
            with suppress(OSError):  # no room for the log
                print(masked(traceback.format_exc()), file=sys.stderr)
            message = masked(f"{type(error).__name__}: {error}")
        for key in keys:
            self._cancel.forget(key)
            if message:
                self._send(Failed(key, message))  # one that had ended is no longer listened for

    def _send(self, event: WorkerAnswer) -> None:
        try:
            self._connection.send(event)
        except OSError:
            kill_group(0)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[2]))
    _Worker(Connection(int(sys.argv[1]))).run()
