"""The hash of a model's weights, which tells one build of them from another."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from alignbench import paths
from alignbench.models.catalog import file_hash, parse_reference, weights_path
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.spec import Model


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
