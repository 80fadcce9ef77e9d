"""From a model's reference to the engine that runs it. Only worker processes call this."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from alignbench import paths
from alignbench.engines.generation import Cancellation
from alignbench.engines.protocol import Engine
from alignbench.errors import InputError
from alignbench.models import file_hash, no_weights, parse_reference, weights_path
from alignbench.spec import Model


def open_engine(model: Model, cancel: Cancellation, threads: int, on_progress: Callable[[float], None]) -> Engine:
    """Load a model. on_progress gets fractions from 0 to 1. Raises InputError or EngineError."""
    match parse_reference(model.reference).scheme:
        case "hf":
            from alignbench.engines.transformers import TransformersEngine

            return TransformersEngine(model, cancel, threads=threads, on_progress=on_progress)
        case "openai":
            from alignbench.engines.openai import OpenAIEngine

            return OpenAIEngine(model, cancel)
        case "imported":
            raise InputError(no_weights(model.reference))
        case _:
            from alignbench.engines.llamacpp import LlamaCppEngine

            path = weights_path(model)
            return LlamaCppEngine(
                path,
                cancel,
                threads=threads,
                gpu_layers=model.options.gpu_layers if model.options.device != "cpu" else 0,
                file_hash=remembered_hash(path),
                on_progress=on_progress,
            )


def remembered_hash(path: Path) -> str:
    """SHA-256 of a file; remembered by path, size and time of change, since weights are large."""
    stat = path.stat()
    memory = paths.cache_dir() / "hashes.json"
    identity = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    try:
        known: dict[str, str] = json.loads(memory.read_text())
    except (OSError, ValueError):
        known = {}
    if identity not in known:
        known[identity] = file_hash(path)
        memory.parent.mkdir(parents=True, exist_ok=True)
        part = memory.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(known))
        part.replace(memory)
    return known[identity]
