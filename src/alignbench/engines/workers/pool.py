"""Loaded models, each in a worker process of its own; the front end's side of the pipe.

Models that are one base with different adapters, or with none, share a process and its one copy of the weights.
A worker that dies fails its open requests with a message and is started again by the next `load`. Workers that are
sampling at one time share the cores. A model leaves the GPU when another one needs its place, or when it has been idle
for long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alignbench.engines import server_traffic
from alignbench.engines.memory import free_bytes, needed_bytes, on_gpu
from alignbench.engines.protocol import (
    LOAD,
    Capabilities,
    Done,
    Embedded,
    Failed,
    Loaded,
    Scored,
    Sink,
    Tokenized,
    TokensEmbedded,
)
from alignbench.engines.workers.base_pool import ModelRequest, RequestQueue
from alignbench.engines.workers.load_wait import LoadWait
from alignbench.engines.workers.messages import (
    EmbedRequest,
    LoadEmbedder,
    LoadModel,
    SetThreads,
    WithAdapter,
    WorkerAnswer,
)
from alignbench.engines.workers.process import WorkerProcess
from alignbench.errors import AlignbenchError, EngineError
from alignbench.machine import usable_cores
from alignbench.models.reference import parted_model
from alignbench.spec import Model

IDLE_SECONDS = 600.0  # a model on a GPU leaves it after so long without a request


class WorkerPool(RequestQueue):
    """Implements protocol.EnginePool and protocol.EmbedPool with worker processes."""

    def __init__(
        self,
        *,
        threads: int | None = None,
        embedder: Path | None = None,
        vram: int | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """
        Args:
            threads: CPU threads that all workers share, by default the cores this process may use
            embedder: folder of the embedding model, by default the embedded one
            vram: bytes of GPU memory that all models together may take, by default what is free
            idle_seconds: after which a model leaves the GPU
        """
        super().__init__()
        self._vram, self._idle_seconds = vram, idle_seconds
        self._closed = threading.Event()
        self._watching = False
        self._threads = threads or usable_cores()
        self._embedder_path = embedder
        self._lock = threading.RLock()
        self._models: dict[Model, WorkerProcess] = {}
        self._embedder: WorkerProcess | None = None
        self._waits: list[LoadWait] = []

    def load(self, model: Model, sink: Sink) -> None:
        """Start a worker for the model, or report at once that it is loaded."""
        try:
            answer = self._load(model, sink)
        except EngineError as error:
            answer = Failed(LOAD, str(error))
        if answer is not None:
            sink(answer)

    def _load(self, model: Model, sink: Sink) -> Loaded | Failed | None:
        """What is known at once; nothing where the sink is told later."""
        base, adapter = parted_model(model)
        with self._lock:
            process = self._models.pop(model, None) or self._sibling(base)
            if process is not None:
                self._models[model] = process  # the most recently used is the last
                return self._awaited(LoadWait(model, adapter, process, self.new_key(), sink, self._answered))
            if refusal := self._make_room(base):
                return Failed(LOAD, refusal, crowded=True)
            process = self._models[model] = WorkerProcess(model.name, self._ended)
            answer = self._awaited(LoadWait(model, adapter, process, self.new_key(), sink, self._answered))
            process.send(LoadModel(base, self._share(1), adapter, server_traffic.is_heard()))
            self._watch_idle(base)
            return answer

    def _awaited(self, wait: LoadWait) -> Loaded | None:
        """What its process has of a model; where that is still to come, who waits is told."""
        process = wait.process
        if process.wait_for_load(wait.take) is not None:
            if (known := process.capabilities_with(wait.adapter)) is not None:
                return Loaded(wait.model.name, known, 0.0)
            wait.ask_for_adapter()
        self._waits.append(wait)
        return None

    def _answered(self, wait: LoadWait) -> None:
        with self._lock:
            self._waits = [other for other in self._waits if other is not wait]

    def _sibling(self, base: Model) -> WorkerProcess | None:
        """The process that holds the base of a model for another one: of another adapter, or of another name."""
        for other, process in self._models.items():
            weights, _ = parted_model(other)
            if base.reference.startswith("openai:") and other.name != base.name:
                continue  # the settings of its server, such as the key, may be others
            if (weights.reference, weights.options) == (base.reference, base.options):
                return process
        return None

    def _make_room(self, model: Model) -> str:
        """End idle models, least recently used first, until a new one fits; why it cannot, or nothing."""
        needed = needed_bytes(model)
        device = "cuda" if on_gpu(model) else "cpu"
        free = free_bytes(device) if needed else 0
        held = {process: parted_model(m)[0] for m, process in self._models.items()}
        beside = [(m, p) for p, m in held.items() if on_gpu(m) == on_gpu(model)]
        limit = ""
        if device == "cuda" and self._vram is not None:
            limit = " of those that --vram allows"
            free = min(free, self._vram - sum(needed_bytes(other) for other, _ in beside))
        idle = [(other, process) for other, process in beside if process.is_idle]
        for other, process in idle:
            if free >= needed:
                break
            free += needed_bytes(other)
            self._models = {m: p for m, p in self._models.items() if p is not process}
            process.stop()
        if free >= needed:
            return ""
        kind = "GPU memory" if device == "cuda" else "memory"
        return (
            f"{model.name} needs about {needed / 2**20:.0f} MiB of {kind}, but only {max(0, free) / 2**20:.0f} MiB"
            f"{limit} are free. Unload another model or choose a smaller or quantized one."
        )

    def _watch_idle(self, model: Model) -> None:
        if on_gpu(model) and not self._watching:
            self._watching = True
            threading.Thread(target=self._unload_idle, name="idle models", daemon=True).start()

    def _unload_idle(self) -> None:
        while not self._closed.wait(self._idle_seconds / 10):
            since = time.monotonic() - self._idle_seconds
            with self._lock:
                idle = [m for m, p in self._models.items() if p.is_idle and p.used <= since and on_gpu(m)]
            for model in idle:
                self.unload(model)

    def capabilities(self, model: Model) -> Capabilities | None:
        """What a loaded model is and can do; None where it is not loaded."""
        with self._lock:
            process = self._models.get(model)
            return process.capabilities_with(parted_model(model)[1]) if process else None

    def _ask(self, model: Model, request: ModelRequest, sink: Callable[[Any], None]) -> None:
        with self._lock:
            process = self._models.get(model)
            if process is not None:
                process.used = time.monotonic()
                process.open[request.key] = self._with_sharing(sink)
                self._share_cores()
                _, adapter = parted_model(model)
                process.send(request if adapter is None else WithAdapter(adapter, request))
                return
        sink(Failed(request.key, f"{model.name} is not loaded."))

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        """Cancel samples of a request, or all of it. A worker that does not act on it is ended."""
        with self._lock:
            process = self._models.get(model)
        if process is not None and key == LOAD:
            self._cancel_load(model, process)
        elif process is not None:
            process.cancel(key, samples)

    def _cancel_load(self, model: Model, process: WorkerProcess) -> None:
        """Nobody waits for this model any more; who waits for another one that shares its process still does."""
        with self._lock:
            own = [wait for wait in self._waits if wait.model == model]
            for_weights = [wait for wait in self._waits if wait.process is process and wait.is_for_weights]
            wanted = any(wait.model != model for wait in for_weights)
            for wait in own:
                wait.cancel()
            if not wanted and any(wait in for_weights for wait in own):
                process.cancel(LOAD)
        for wait in own:
            if wanted and wait in for_weights:
                wait.give_up()

    def unload(self, model: Model) -> None:
        """End the model's process, once no other model shares it."""
        with self._lock:
            process = self._models.pop(model, None)
            shared = process in self._models.values()
        if process is not None and not shared:
            process.stop()

    def close(self) -> None:
        """End every process."""
        self._closed.set()
        with self._lock:
            processes = [*dict.fromkeys(self._models.values()), *([self._embedder] if self._embedder else [])]
            self._models, self._embedder = {}, None
        for process in processes:
            process.stop()

    def embed(
        self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None], prefix: str | None = None
    ) -> None:
        """Embed texts in the embedding worker, which is started by the first call."""
        self._embed(EmbedRequest(self.new_key(), texts, prefix=prefix), sink)

    def embed_tokens(self, texts: tuple[str, ...], sink: Callable[[TokensEmbedded | Failed], None]) -> None:
        """Embed each token of texts in the embedding worker."""
        self._embed(EmbedRequest(self.new_key(), texts, tokens=True), sink)

    def _embed(self, request: EmbedRequest, sink: Callable[[Any], None]) -> None:
        try:
            with self._lock:
                process = self._embedder or self._start_embedder()
                process.open[request.key] = sink
                process.send(request)
        except AlignbenchError as error:
            sink(Failed(request.key, str(error)))

    def cancel_embedding(self, sink: Callable[[Any], None]) -> None:
        """Have the sink of a request answered soon; a worker that does not do so, and has no other, is ended."""
        with self._lock:
            process = self._embedder
        if process is not None:
            for key, open_sink in list(process.open.items()):
                if open_sink is sink:
                    process.cancel(key)

    def _start_embedder(self) -> WorkerProcess:
        path = self._embedder_path or _default_embedder()
        self._embedder = embedder = WorkerProcess("embedder", self._ended)
        embedder.send(LoadEmbedder(str(path), max(1, self._threads // 2)))
        return embedder

    def worker_pid(self, model: Model) -> int | None:
        """Process id of a model's worker."""
        with self._lock:
            process = self._models.get(model)
            return process.pid if process else None

    def _ended(self, process: WorkerProcess) -> None:
        with self._lock:
            self._models = {model: p for model, p in self._models.items() if p is not process}
            if self._embedder is process:
                self._embedder = None
            self._share_cores()

    def _with_sharing(self, sink: Callable[[Any], None]) -> Callable[[WorkerAnswer], None]:
        """A sink of a model's answers; the cores are shared anew when the last one has come."""

        def forward(event: WorkerAnswer) -> None:
            if isinstance(event, (Done, Failed, Scored, Tokenized)):
                with self._lock:
                    self._share_cores()
            sink(event)

        return forward

    def _share(self, n_busy: int) -> int:
        return max(1, self._threads // max(1, n_busy))

    def _share_cores(self) -> None:
        busy = [process for process in dict.fromkeys(self._models.values()) if process.open]
        for process in busy:
            process.send(SetThreads(self._share(len(busy))))


def _default_embedder() -> Path:
    from alignbench.engines.embedder import default_embedder_path

    return default_embedder_path()
