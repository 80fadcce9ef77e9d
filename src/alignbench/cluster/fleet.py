"""The actors of one model, each with a thread here that hands it one request at a time and takes its events.

An actor that is lost, with its process or its machine, is replaced; what it had not delivered goes to the next one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import ray

from alignbench.cluster.host import LAST
from alignbench.engines.protocol import Capabilities, Done, Failed, Finished, Loaded, Loading, SampleRequest, Sink
from alignbench.engines.workers.base_pool import ModelRequest
from alignbench.engines.workers.messages import WorkerAnswer
from alignbench.masking import masked
from alignbench.spec import Model

LOSSES = 3  # workers that one request may lose, and a model for each lane it has, before it is given up


@dataclass(eq=False)
class _ActorRequest:
    """A request and what has come of it."""

    request: ModelRequest
    sink: Callable[[Any], None]
    finished: set[int] = field(default_factory=set)
    losses: int = 0
    actor: Any = None  # that works on it, None while it waits
    cancelled: bool = False

    def rest(self) -> ModelRequest | None:
        """What is still to be done; None where nothing is."""
        if not isinstance(self.request, SampleRequest):
            return self.request
        samples = tuple(i for i in self.request.samples if i not in self.finished)
        return replace(self.request, samples=samples) if samples and not self.cancelled else None


class Fleet:
    """A model in `lanes` actors. Sinks are called from the threads of the lanes."""

    def __init__(self, model: Model, lanes: int, new_actor: Callable[[], Any], say: Callable[[str], None]) -> None:
        """
        Args:
            model: in each of the actors
            lanes: how many actors
            new_actor: begins one; Ray finds a place for it
            say: called with what a person should know
        """
        self.model, self.lanes = model, lanes
        self.capabilities: Capabilities | None = None
        self._new_actor, self._say = new_actor, say
        self._loading: list[Sink] = []
        self._open: dict[int, _ActorRequest] = {}
        self._jobs: queue.SimpleQueue[_ActorRequest | None] = queue.SimpleQueue()
        self._actors: list[Any] = []
        self._alive, self._losses_left = lanes, LOSSES * lanes
        self._closed = False
        self._lock = threading.RLock()

    def start(self, sink: Sink) -> None:
        """Load the model everywhere; the sink gets Loaded when the first actor has it."""
        self._loading.append(sink)
        for i in range(self.lanes):
            threading.Thread(target=self._serve, name=f"{self.model.name} on Ray, {i}", daemon=True).start()

    def load(self, sink: Sink) -> None:
        """Tell this sink too when the model is loaded."""
        with self._lock:
            if self.capabilities is None:
                self._loading.append(sink)
                return
        sink(Loaded(self.model.name, self.capabilities, 0.0))

    @property
    def is_alive(self) -> bool:
        return self._alive > 0

    @property
    def is_idle(self) -> bool:
        return not self._open and not self._loading

    def ask(self, request: ModelRequest, sink: Callable[[Any], None]) -> None:
        """Queue a request; the sink gets its events."""
        with self._lock:
            job = _ActorRequest(request, sink)
            if self.is_alive:
                self._open[request.key] = job
                self._jobs.put(job)
                return
        sink(Failed(request.key, f"{self.model.name} has no worker left in the cluster."))

    def cancel(self, key: int, samples: Sequence[int] | None) -> None:
        """Cancel samples of a request, or all of it."""
        with self._lock:
            job = self._open.get(key)
            if job is None:
                return
            job.cancelled |= samples is None
            if job.actor is not None:
                job.actor.cancel.remote(key, None if samples is None else tuple(samples))

    def close(self) -> None:
        """End the actors; open requests fail."""
        with self._lock:
            self._closed = True
            actors, self._actors = self._actors, []
        for actor in actors:
            _kill(actor)
        for _ in range(self.lanes):
            self._jobs.put(None)
        self._fail(f"{self.model.name} was unloaded.")

    def lose(self, why: str) -> None:
        """There is no cluster any more, and nobody to tell so."""
        with self._lock:
            self._closed, self._alive = True, 0
            self._actors = []
        for _ in range(self.lanes):
            self._jobs.put(None)
        self._fail(why)

    def _serve(self) -> None:
        """The life of a lane: one actor after the other, while the last one was lost and another one may be tried."""
        why = ""
        while not why:
            with self._lock:
                if self._closed:
                    return
                actor = self._new_actor()
                self._actors.append(actor)
            why = self._serve_with(actor)
            with self._lock:
                if actor in self._actors:
                    self._actors.remove(actor)
            _kill(actor)
        with self._lock:
            self._alive -= 1
            if self._closed:
                return
        if self._alive:
            self._say(f"{self.model.name} has a worker less in the cluster: {why}")
        else:
            self._fail(why)

    def _serve_with(self, actor: Any) -> str:
        """Work with one actor until it is lost; why there should be none after it, or nothing."""
        job: _ActorRequest | None = None
        try:
            why = self._load(actor)
            while not why and (job := self._jobs.get()) is not None:
                self._carry_out(job, actor)
            return why or "closed"
        except Exception as error:  # whatever a cluster raises when a part of it is gone
            return self._lost(job, error)

    def _load(self, actor: Any) -> str:
        """Load the model in an actor; what is wrong with it, or nothing."""
        for reference in actor.load.remote():
            match ray.get(reference):
                case Loading() as event:
                    for sink in list(self._loading):
                        sink(event)
                case Loaded() as event:
                    return self._loaded(event)
                case Failed() as event:
                    return event.message
        return ""

    def _loaded(self, event: Loaded) -> str:
        with self._lock:
            now = event.capabilities.file_hash
            if self.capabilities is not None and now != self.capabilities.file_hash:
                return f"its weights there have SHA-256 {now}, elsewhere {self.capabilities.file_hash}."
            self.capabilities = replace(event.capabilities, lanes=self.lanes)
            sinks, self._loading = self._loading, []
        for sink in sinks:
            sink(replace(event, capabilities=self.capabilities))
        return ""

    def _carry_out(self, job: _ActorRequest, actor: Any) -> None:
        with self._lock:
            rest = job.rest()
            job.actor = actor
        if rest is None:
            self._deliver(job, Done(job.request.key))
            return
        try:
            for reference in actor.answer.remote(rest):
                self._deliver(job, ray.get(reference))
        except ray.exceptions.RayTaskError as error:  # raised by what runs there: another actor would not help
            self._deliver(job, Failed(job.request.key, masked(f"{type(error.cause).__name__}: {error.cause}")))

    def _deliver(self, job: _ActorRequest, event: WorkerAnswer) -> None:
        if isinstance(event, Finished):
            job.finished.add(event.result.sample)
        if isinstance(event, LAST):
            with self._lock:
                if self._open.pop(job.request.key, None) is None:
                    return  # it was failed by `close` meanwhile
        job.sink(event)

    def _lost(self, job: _ActorRequest | None, error: Exception) -> str:
        with self._lock:
            if self._closed:
                return "closed"
            self._losses_left -= 1
            too_many = self._losses_left < 0
        why = str(error).partition("\n")[0]
        self._say(f"{self.model.name}: a worker in the cluster was lost ({why}); what it was at is done again")
        if job is not None:
            with self._lock:
                job.actor, job.losses = None, job.losses + 1
            if job.losses > LOSSES:
                self._deliver(job, Failed(job.request.key, f"{job.losses} workers were lost at this cell: {why}"))
            else:
                self._jobs.put(job)
        return f"{self.model.name} lost too many workers in the cluster: {why}" if too_many else ""

    def _fail(self, message: str) -> None:
        with self._lock:
            sinks, self._loading = self._loading, []
            jobs = list(self._open.values())
        for sink in sinks:
            sink(Failed(0, message))
        for job in jobs:
            self._deliver(job, Failed(job.request.key, message))


def _kill(actor: Any) -> None:
    with suppress(Exception):  # it, or the whole cluster, may be gone
        ray.kill(actor)
