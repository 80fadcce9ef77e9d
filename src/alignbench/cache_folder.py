"""The cache folder, which may be full, closed, or no folder: all goes on without it, and that is said once."""

from __future__ import annotations

import tempfile
import threading
from functools import cache
from pathlib import Path

from alignbench import paths
from alignbench.display import visible

_said = threading.Event()
_PROBE = bytes(4096)  # a file system that is full takes names, but no bytes


def problem(folder: Path | None = None) -> str:
    """Why nothing can be kept in the cache folder, or in one of its folders; empty where it can. It is tried."""
    folder = folder or paths.cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".probe-", buffering=0) as file:
            file.write(_PROBE)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return ""


def worker_log(name: str) -> Path | None:
    """Where a worker's output is appended; None where it is lost."""
    folder = paths.log_dir()
    return folder / name if works(folder) else None


def works(folder: Path) -> bool:
    """Whether something can be kept in a folder of the cache. What this process finds first is true until it ends."""
    why_not = _problem(folder)
    if why_not:
        missed(why_not)
    return not why_not


_problem = cache(problem)


def missed(why_not: str) -> None:
    """Say, once for all, what is missing where something cannot be kept."""
    import logging

    if _said.is_set():
        return
    _said.set()
    logging.getLogger("alignbench").warning(
        "%s. Going on without logs of workers and without what is kept between runs: hashes of weights, embeddings.",
        visible(why_not),
    )
