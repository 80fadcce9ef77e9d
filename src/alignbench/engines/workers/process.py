"""A worker process, seen from the front end: the sinks of its requests, its log, and how long it may not react."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

from alignbench import cache_folder
from alignbench.child_process import is_stopped
from alignbench.engines import server_traffic
from alignbench.engines.protocol import (
    LOAD,
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
from alignbench.engines.workers.child import Child
from alignbench.engines.workers.messages import AdapterLoaded, Cancel, Message, WorkerAnswer
from alignbench.models.adapter import Adapter

GRACE = 2.5  # seconds from a cancellation until a worker that has not acted on it is ended
SILENT = 30.0  # seconds without an answer after which a cancellation ends it though others wait for it too
STOPPED = 30.0  # seconds that a worker with work to do may be stopped (SIGSTOP) until it is ended


class WorkerProcess:
    """A worker process and the sinks of its requests."""

    def __init__(self, name: str, on_end: Callable[[WorkerProcess], None]) -> None:
        """Begin it. Raises EngineError where the system has no room for another process."""
        self.name = name
        self.capabilities: Capabilities | None = None
        self.adapted: dict[Adapter, Capabilities] = {}  # with each adapter that it has
        self.loading: list[Sink] = []
        self.adding: set[int] = set()  # keys of requests for adapters, which are told of progress too
        self.open: dict[int, Callable[[WorkerAnswer], None]] = {}
        self.used = time.monotonic()  # when it last got a request or answered
        self._heard = self.used  # when it last answered
        self._on_end = on_end
        self._lock = threading.Lock()
        self._cancelled: dict[int, float] = {}  # key -> when it has to have ended
        self._stopped_since: float | None = None
        self._stopping = False
        self._failure = ""  # why loading failed, or why it was ended
        self.log = cache_folder.worker_log(f"{name.replace('/', '_')}-{os.getpid()}.log")
        self._child = Child(name, self.log, received=self._dispatch, look=self._look, ended=self._ended)

    def capabilities_with(self, adapter: Adapter | None) -> Capabilities | None:
        """What its model with an adapter, or none, is and can do; None where it is not loaded."""
        return self.capabilities if adapter is None else self.adapted.get(adapter)

    @property
    def pid(self) -> int:
        return self._child.pid

    def send(self, message: Message) -> None:
        """Send a message; a dead worker's requests fail when its end is noticed."""
        self._child.send(message)

    def cancel(self, key: int, samples: Sequence[int] | None = None) -> None:
        """Cancel samples of a request, or all of it: then it ends soon, be it with the process."""
        if key != LOAD:
            self.send(Cancel(key, None if samples is None else tuple(samples)))
        if samples is None:
            with self._lock:
                self._cancelled.setdefault(key, time.monotonic() + GRACE)

    def wait_for_load(self, sink: Sink) -> Capabilities | None:
        """What is loaded; where that is still to come the sink is told, and the load is wanted again if it was
        cancelled."""
        with self._lock:
            self._cancelled.pop(LOAD, None)
            if self.capabilities is None:
                self.loading.append(sink)
            return self.capabilities

    @property
    def is_idle(self) -> bool:
        return not self.open and not self.loading

    def stop(self) -> None:
        """End the process; open requests fail."""
        self._stopping = True
        self._child.kill()

    def _look(self) -> None:
        """End the process where it does not react."""
        now = time.monotonic()
        with self._lock:
            wanted = self._open_keys() - self._cancelled.keys()
            late = {key for key, by in self._cancelled.items() if by <= now} & self._open_keys()
        if late and (not wanted or now - self._heard > SILENT):
            self._give_up(f"did not stop within {GRACE:g} seconds")
            return
        for key in late:  # it may be at work on another request
            self._answer(Failed(key, f"It was cancelled while {self.name} was busy with something else."))
        if self.is_idle or not is_stopped(self.pid):
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = now
        elif now - self._stopped_since > STOPPED:
            self._give_up(f"was stopped (SIGSTOP) for {STOPPED:g} seconds")

    def _open_keys(self) -> set[int]:
        return {*self.open, *([LOAD] if self.loading else [])}

    def _give_up(self, why: str) -> None:
        self._failure = f"The worker of {self.name} {why} and was ended. Sampling again starts a new one."
        self._on_end(self)
        self._child.kill()

    def _ended(self, code: int) -> None:
        message = self._epitaph(code)
        self._on_end(self)
        for sink in self.loading:
            sink(Failed(LOAD, message))
        for key, open_sink in list(self.open.items()):
            open_sink(Failed(key, message))

    def _dispatch(self, event: WorkerAnswer) -> None:
        self.used = self._heard = time.monotonic()
        if isinstance(event, Failed) and event.lost:  # who loads the model again gets another process
            self._failure = event.message
            self._on_end(self)
        match event:
            case server_traffic.Sent() | server_traffic.Answered():
                server_traffic.tell(event)
            case Loading():
                for sink in [*self.loading, *(self.open[key] for key in self.adding & self.open.keys())]:
                    sink(event)
            case Loaded() | Failed(key=0):
                if isinstance(event, Failed):
                    self._failure = event.message
                    self._on_end(self)
                    self.stop()
                with self._lock:  # who asks from now on is told at once
                    if isinstance(event, Loaded):
                        self.capabilities = event.capabilities
                    sinks, self.loading = self.loading, []
                    self._cancelled.pop(LOAD, None)
                for sink in sinks:
                    sink(event)
            case (
                Done()
                | Failed()
                | Embedded()
                | TokensEmbedded()
                | Entailed()
                | Scored()
                | Tokenized()
                | AdapterLoaded()
            ):
                self._answer(event)
            case _:
                answer = self.open.get(event.key)
                if answer:
                    answer(event)

    def _answer(
        self, event: Done | Failed | Embedded | TokensEmbedded | Entailed | Scored | Tokenized | AdapterLoaded
    ) -> None:
        """Hand out the last event of a request."""
        with self._lock:
            answer = self.open.pop(event.key, None)
            self._cancelled.pop(event.key, None)
        if answer:
            answer(event)

    def _epitaph(self, code: int) -> str:
        if self._failure:
            return self._failure
        if self._stopping:
            return f"{self.name} was unloaded."
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        log = f" Log: {self.log}" if self.log else ""
        return f"The worker of {self.name} died ({how}). Sampling again starts a new one.{log}"
