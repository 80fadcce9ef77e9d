"""A worker process, seen from the front end: its pipe, its log, and the sinks of its requests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from alignbench import paths
from alignbench.engines.protocol import (
    Capabilities,
    Done,
    Embedded,
    Entailed,
    Failed,
    Loaded,
    Loading,
    Scored,
    Sink,
    Tokenized,
    TokensEmbedded,
)
from alignbench.engines.workers.messages import Message, WorkerAnswer

# libgomp's default spinning stalls two workers on the same cores; a short spin keeps the speed of one worker alone.
_ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


class WorkerProcess:
    """A worker process and the sinks of its requests."""

    def __init__(self, name: str, on_end: Callable[[WorkerProcess], None]) -> None:
        self.name = name
        self.capabilities: Capabilities | None = None
        self.loading: list[Sink] = []
        self.open: dict[int, Callable[[WorkerAnswer], None]] = {}
        self.used = time.monotonic()  # when it last got a request or answered
        self._on_end = on_end
        self._lock = threading.Lock()
        self._stopping = False
        self._failure = ""  # why loading failed
        self.log = paths.log_dir() / f"{name.replace('/', '_')}-{os.getpid()}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with theirs, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alignbench.engines.workers.main", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **_ENVIRONMENT},
                start_new_session=True,  # Ctrl-C in the terminal is the front end's to handle
            )
        self._connection = Connection(ours.detach())
        threading.Thread(target=self._read, name=f"worker {name}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message; a dead worker's requests fail when its end is noticed."""
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(message)

    @property
    def is_idle(self) -> bool:
        return not self.open and not self.loading

    def stop(self) -> None:
        """End the process; open requests fail."""
        self._stopping = True
        self._process.kill()

    def _read(self) -> None:
        while True:
            try:
                event: WorkerAnswer = self._connection.recv()
            except (EOFError, OSError):
                break
            self._dispatch(event)
        self._process.kill()
        message = self._epitaph(self._process.wait())
        self._on_end(self)
        self._connection.close()
        for sink in self.loading:
            sink(Failed(0, message))
        for key, open_sink in list(self.open.items()):
            open_sink(Failed(key, message))

    def _dispatch(self, event: WorkerAnswer) -> None:
        self.used = time.monotonic()
        match event:
            case Loading():
                for sink in list(self.loading):
                    sink(event)
            case Loaded() | Failed(key=0):
                if isinstance(event, Loaded):
                    self.capabilities = event.capabilities
                else:
                    self._failure = event.message
                    self._on_end(self)
                    self.stop()
                sinks, self.loading = self.loading, []
                for sink in sinks:
                    sink(event)
            case Done() | Failed() | Embedded() | TokensEmbedded() | Entailed() | Scored() | Tokenized():
                answer = self.open.pop(event.key, None)
                if answer:
                    answer(event)
            case _:
                answer = self.open.get(event.key)
                if answer:
                    answer(event)

    def _epitaph(self, code: int) -> str:
        if self._failure:
            return self._failure
        if self._stopping:
            return f"{self.name} was unloaded."
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"The worker of {self.name} died ({how}). Sampling again starts a new one. Log: {self.log}"
