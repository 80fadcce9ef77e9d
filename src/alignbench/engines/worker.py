"""The process that holds one model: `python -m alignbench.engines.worker FD`.

It reads requests from the socket FD and writes events to it. A segmentation fault, an abort or a kill ends this
process and nothing else. stdout and stderr are a log file: native code writes there, never to the front end.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from alignbench.engines.generation import Cancellation
from alignbench.engines.messages import Cancel, EmbedRequest, LoadEmbedder, LoadModel, Message, SetThreads
from alignbench.engines.protocol import Embedded, Event, Failed, Loaded, Loading, SampleRequest
from alignbench.errors import AlignbenchError
from alignbench.paths import cache_dir


class _Served(Protocol):
    """What this process serves once a model is loaded."""

    threads: int

    def answer(self, request: SampleRequest | EmbedRequest, send: Callable[[Event | Embedded], None]) -> None: ...


class _ServedModel:
    def __init__(self, message: LoadModel, cancel: Cancellation, send: Callable[[Event], None]) -> None:
        from alignbench.engines.llamacpp import LlamaCppEngine
        from alignbench.models import weights_path

        start = time.perf_counter()
        name = message.model.name
        send(Loading(name, 0.0))
        path = weights_path(message.model)
        self._engine = LlamaCppEngine(
            path, cancel, threads=message.threads, on_progress=lambda fraction: send(Loading(name, fraction))
        )
        capabilities = self._engine.capabilities(file_hash(path))
        send(Loaded(name, capabilities, time.perf_counter() - start))

    @property
    def threads(self) -> int:
        return self._engine.threads

    @threads.setter
    def threads(self, threads: int) -> None:
        self._engine.threads = threads

    def answer(self, request: SampleRequest | EmbedRequest, send: Callable[[Event | Embedded], None]) -> None:
        assert isinstance(request, SampleRequest)
        for event in self._engine.sample(request):
            send(event)


class _ServedEmbedder:
    def __init__(self, message: LoadEmbedder) -> None:
        from alignbench.engines.embedder import Embedder

        self._embedder = Embedder(message.path, threads=message.threads)
        self.threads = message.threads

    def answer(self, request: SampleRequest | EmbedRequest, send: Callable[[Event | Embedded], None]) -> None:
        assert isinstance(request, EmbedRequest)
        vectors, windows = self._embedder.embed(request.texts)
        send(Embedded(request.key, vectors, tuple(windows), self._embedder.name))


def file_hash(path: Path) -> str:
    """SHA-256 of a file; remembered by path, size and time of change, since weights are large."""
    stat = path.stat()
    remembered = cache_dir() / "hashes.json"
    identity = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    try:
        known: dict[str, str] = json.loads(remembered.read_text())
    except (OSError, ValueError):
        known = {}
    if identity not in known:
        with path.open("rb") as file:
            known[identity] = hashlib.file_digest(file, "sha256").hexdigest()
        remembered.parent.mkdir(parents=True, exist_ok=True)
        part = remembered.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(known))
        part.replace(remembered)
    return known[identity]


class _Worker:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox: queue.Queue[LoadModel | LoadEmbedder | SampleRequest | EmbedRequest] = queue.Queue()
        self._cancel = Cancellation()
        self._served: _Served | None = None

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            self._serve(self._inbox.get())

    def _read(self) -> None:
        """Messages that must act at once are carried out here, beside the request that runs."""
        while True:
            try:
                message: Message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the front end is gone
            match message:
                case Cancel():
                    self._cancel.cancel(message.key, message.samples)
                case SetThreads():
                    if self._served:
                        self._served.threads = message.threads
                case _:
                    self._inbox.put(message)

    def _serve(self, message: LoadModel | LoadEmbedder | SampleRequest | EmbedRequest) -> None:
        key = message.key if isinstance(message, (SampleRequest, EmbedRequest)) else 0
        try:
            match message:
                case LoadModel():
                    self._served = _ServedModel(message, self._cancel, self._send)
                case LoadEmbedder():
                    self._served = _ServedEmbedder(message)
                case _:
                    assert self._served is not None
                    self._served.answer(message, self._send)
        except AlignbenchError as error:
            self._send(Failed(key, str(error)))
        except Exception as error:  # the boundary of the process: whatever it was, it belongs to this request
            traceback.print_exc()
            self._send(Failed(key, f"{type(error).__name__}: {error}"))
        self._cancel.forget(key)

    def _send(self, event: Event | Embedded) -> None:
        try:
            self._connection.send(event)
        except OSError:
            os._exit(0)


if __name__ == "__main__":
    _Worker(Connection(int(sys.argv[1]))).run()
