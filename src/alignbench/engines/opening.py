"""From a model's reference to the engine that runs it, which only worker processes open, and to its weights' hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from alignbench import paths
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.hf_source import HfSource, parse_source
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


def weights_hash(model: Model) -> str:
    """What `Capabilities.file_hash` says, without loading the model; empty where the weights are not on this machine.

    Raises InputError where they are broken or gone.
    """
    reference = parse_reference(model.reference)
    match reference.scheme:
        case "openai":
            return ""
        case "hf":
            return source_hash(parse_source(reference.target))
        case _:
            return remembered_hash(weights_path(model))


def source_hash(source: HfSource) -> str:
    """SHA-256 of the GGUF file, of the list of SHA-256s of a folder's weight files, or a hub model's commit."""
    if not source.is_local:
        folder = source.folder()
        return folder.name if folder else source.revision
    hashes = [remembered_hash(path) for path in source.weights()]
    return hashes[0] if source.gguf_file else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


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
