"""A pool whose models are on a Ray cluster, in actors anywhere in it; this process keeps the database.

Weights have to be on every machine, under one path. A model gets an equal share of the actors that the cluster has room
for.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray

from alignbench.cluster.fleet import Fleet
from alignbench.cluster.head import HeadWatch
from alignbench.cluster.host import Host
from alignbench.engines.protocol import (
    LOAD,
    Capabilities,
    EnginePool,
    Failed,
    Sink,
)
from alignbench.engines.workers.base_pool import ModelRequest, RequestQueue
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import InputError
from alignbench.spec import Model

THREADS = 4  # of an actor: a request, a load, and cancelling meanwhile


class RayPool(RequestQueue):
    """Implements protocol.EnginePool with actors of a cluster."""

    def __init__(
        self,
        address: str | None,
        n_models: int,
        *,
        cpus: int = 1,
        gpus: float | None = None,
        make_pool: Callable[[], EnginePool] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Connect to the cluster at an address; without one to that of RAY_ADDRESS, else begin one on this machine.

        InputError where there is no such cluster, or no room in it for one actor.

        Args:
            n_models: that are to share it
            cpus, gpus: of an actor; gpus is 1 by default where the cluster has any, else 0
            make_pool: what an actor runs its model in
            say: called with what a person should know
        """
        super().__init__()
        self._fleets: dict[Model, Fleet] = {}
        self._ours = not ray.is_initialized()
        if self._ours:
            connect(address)
        there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        gpus = gpus if gpus is not None else float(there.get("GPU", 0) > 0)
        self._slots = int(min(there.get(name, 0) // each for name, each in (("CPU", cpus), ("GPU", gpus)) if each))
        if self._slots < 1:
            if self._ours:
                ray.shutdown()
            raise InputError(
                f"The Ray cluster has {there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs, but an actor asks "
                f"for {cpus} and {gpus:g}."
            )
        self._share = max(1, self._slots // max(1, n_models))
        make_pool = make_pool or partial(WorkerPool, threads=cpus)
        host = ray.remote(Host).options(num_cpus=cpus, num_gpus=gpus, max_concurrency=THREADS)
        self._new_actor: Callable[[Model], Any] = lambda model: host.remote(model, make_pool)
        self._say = say
        self._lock = threading.RLock()
        self._lost = ""  # why there is no cluster any more
        self._head = HeadWatch(ray.get_runtime_context().gcs_address, self._lose)

    def load(self, model: Model, sink: Sink) -> None:
        """Begin the actors of a model, or report at once that it is loaded."""
        if self._lost:
            sink(Failed(LOAD, self._lost))
            return
        with self._lock:
            fleet = self._fleets.get(model)
            if fleet is not None and fleet.is_alive:
                fleet.load(sink)
                return
            self._fleets.pop(model, None)
            if lanes := self._make_room():
                fleet = self._fleets[model] = Fleet(model, lanes, partial(self._new_actor, model), self._say)
                fleet.start(sink)
                return
        sink(Failed(0, f"The cluster has no room left for {model.name}.", crowded=True))

    def _make_room(self) -> int:
        """Actors that a new model may have; idle models are ended where there would be none. 0: no room."""
        for model in [None, *self._fleets]:
            if model is not None and self._fleets[model].is_idle:
                self._fleets.pop(model).close()
            left = self._slots - sum(fleet.lanes for fleet in self._fleets.values())
            if left > 0:
                return min(left, self._share)
        return 0

    def capabilities(self, model: Model) -> Capabilities | None:
        """What a loaded model is and can do; None where it is not loaded."""
        with self._lock:
            fleet = self._fleets.get(model)
            return fleet.capabilities if fleet is not None and fleet.is_alive else None

    def _ask(self, model: Model, request: ModelRequest, sink: Callable[[Any], None]) -> None:
        with self._lock:
            fleet = self._fleets.get(model)
        if fleet is None:
            sink(Failed(request.key, f"{model.name} is not loaded."))
        else:
            fleet.ask(request, sink)

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        """Cancel samples of a request, or all of it."""
        with self._lock:
            fleet = self._fleets.get(model)
        if fleet is not None:
            fleet.cancel(key, samples)

    def unload(self, model: Model) -> None:
        """End the model's actors."""
        with self._lock:
            fleet = self._fleets.pop(model, None)
        if fleet is not None:
            fleet.close()

    def close(self) -> None:
        """End every actor, and leave the cluster."""
        self._head.close()
        for model in list(self._fleets):
            self.unload(model)
        if self._ours:
            ray.shutdown()

    def _lose(self, why: str) -> None:
        """There is no cluster any more: what was asked of it fails."""
        self._lost = why
        with self._lock:
            fleets = list(self._fleets.values())
        for fleet in fleets:
            fleet.lose(why)


def connect(address: str | None) -> None:
    """Become a driver of the cluster at HOST:PORT; None: of RAY_ADDRESS, or of a new one here. Raises InputError."""
    if address is not None and address not in ("auto", "local"):
        _require_answer(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"No Ray cluster at {address or 'this machine'}: {error}.") from None


def _require_answer(address: str) -> None:
    """Ray itself asks for minutes, with a warning every few seconds, before it says that nobody is there."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise InputError(f"--ray {address}: expected HOST:PORT of the cluster's head, such as 10.0.0.1:6379.")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"No Ray cluster answers at {address}: {getattr(error, 'strerror', None) or error}.") from None
