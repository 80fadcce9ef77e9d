"""From a model's reference to the engine that runs it; only worker processes open one."""

from __future__ import annotations

from typing import Protocol

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import Engine
from alignbench.errors import EngineError, InputError
from alignbench.extras import needed
from alignbench.models.adapter import Adapter
from alignbench.models.catalog import adapter_facts, no_weights, server_settings, weights_path
from alignbench.models.installed import why_not_installed
from alignbench.models.openai_address import parse_address
from alignbench.models.reference import Scheme, parse_reference
from alignbench.models.weights import gguf_hash
from alignbench.spec import Model


class LoadProgress(Protocol):
    """Told how far a load is: a fraction, 0 to 1, and perhaps what is done now."""

    def __call__(self, fraction: float, stage: str = ..., /) -> None: ...


def open_engine(
    model: Model, cancel: Cancellation, threads: int, on_progress: LoadProgress, *, awaited: Adapter | None = None
) -> Engine:
    """Load a model, with its adapter. Raises InputError or EngineError.

    Args:
        model: to be loaded
        cancel: which samples were cancelled, and the load
        threads: of the CPU
        on_progress: told how far it is
        awaited: an adapter that the engine will be asked to use
    """
    reference = parse_reference(model.reference)
    if problem := why_not_installed(reference):
        raise InputError(problem)
    adapter_facts(reference)
    awaited = awaited or reference.adapter
    engine = _open_base(reference.scheme, model, cancel, threads, on_progress, awaited)
    engine.use(reference.adapter)
    return engine


def _open_base(
    scheme: Scheme,
    model: Model,
    cancel: Cancellation,
    threads: int,
    on_progress: LoadProgress,
    awaited: Adapter | None,
) -> Engine:
    match scheme:
        case "hf":
            with needed(f"{model.name} needs", "transformers", error=EngineError):
                from alignbench.engines.hf.engine import TransformersEngine

            return TransformersEngine(model, cancel, threads=threads, on_progress=on_progress)
        case "vllm":
            from alignbench.engines.vllm.engine import VllmEngine

            ours = VllmEngine(
                model, cancel, lambda stage: on_progress(stage.fraction, stage.what), awaited, server_settings(model)
            )
            ours.measure_replay(chat=False)  # chats are rendered here
            return ours
        case "openai":
            from alignbench.engines.openai.engine import OpenAIEngine

            server = OpenAIEngine(model, cancel, server_settings(model))
            if parse_address(parse_reference(model.reference).target).is_local:  # another one may ask to be paid for it
                server.measure_replay()
            return server
        case "imported":
            raise InputError(no_weights(model.reference))
        case _:
            with needed(f"{model.name} needs", "llama", error=EngineError):
                from alignbench.engines.llamacpp.engine import LlamaCppEngine

            path = weights_path(model)
            return LlamaCppEngine(
                path,
                cancel,
                threads=threads,
                gpu_layers=model.options.gpu_layers if model.options.device != "cpu" else 0,
                file_hash=gguf_hash(path),
                on_progress=on_progress,
            )
