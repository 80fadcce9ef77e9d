"""One pool of workers for all tests that need a loaded model and nothing else of its process."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alignbench.engines.embedder import default_embedder_path
from alignbench.engines.protocol import SampleRequest, Sink
from alignbench.engines.workers.pool import WorkerPool
from alignbench.machine import usable_cores
from alignbench.spec import Model
from tests.support.fakes import FakePool


@cache
def shared_pool() -> WorkerPool:
    """Loads a model when a test first asks for it; closed with the interpreter.

    Where tests run in several processes, each has its share of the cores: two threads that wait for each other take
    many times as long as one when something else needs a core.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    pool = WorkerPool(threads=max(1, usable_cores() // processes))
    atexit.register(pool.close)
    return pool


class _Lent:
    """The shared pool for one user: closing it gives it back, with its models loaded."""

    def __getattr__(self, name: str) -> object:
        return getattr(shared_pool(), name)

    def close(self) -> None:
        pass


class KnownTexts(_Lent):
    """The shared pool, but for what its models say to a prompt, which is known: `texts` by the name of the model. Where
    a form is asked for, as of a judge, the models answer themselves."""

    def __init__(self, **texts: Sequence[str]) -> None:
        self._speakers = FakePool({name.replace("_", "-"): list(said) for name, said in texts.items()})

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        if request.schema:
            shared_pool().sample(model, request, sink)
        else:
            self._speakers.sample(model, request, sink)


def lent_pool(
    *,
    threads: int | None = None,  # noqa: ARG001
    embedder: Path | None = None,
    vram: int | None = None,  # noqa: ARG001
) -> WorkerPool | _Lent:
    """What stands in for WorkerPool: the shared pool, or one of its own for another embedding model."""
    if embedder is not None and embedder != default_embedder_path():
        return WorkerPool(embedder=embedder)
    return _Lent()
