"""Which files an import is of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError

_CHUNK = 1 << 20


def source_of(format: str, paths: Sequence[Path]) -> dict[str, Any]:
    """For the manifest: the format and the names of the files."""
    names = [path.name for path in paths]
    return {"format": format, "file": names[0], "files": names}


def without_copies(paths: Sequence[Path]) -> tuple[list[Path], str, list[str]]:
    """The files without those that are byte for byte another one, a hash of them all, and notes on what was left out.

    The hash is empty where one of them is a pipe, which can be read only once. InputError for what cannot be read.
    """
    if any(path.exists() and not path.is_file() and not path.is_dir() for path in paths):
        return [*paths], "", []
    hashes: dict[str, Path] = {}
    notes = []
    for path in paths:
        digest = _file_hash(path)
        if (other := hashes.setdefault(digest, path)) is not path:
            notes.append(f"{path} is the same as {other}, and read once")
    return [*hashes.values()], hashlib.sha256("".join(hashes).encode()).hexdigest(), notes


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; expected a file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    return digest.hexdigest()
