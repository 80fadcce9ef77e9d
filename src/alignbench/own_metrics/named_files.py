"""The files of functions that this user has named.

A database may come from anywhere, and with it the path of a file: only one of these is run for it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from alignbench import cache_folder, paths
from alignbench.parsing import parse_json

_LIST = "own-metrics.json"


def remember(path: Path) -> None:
    """A user has named this file."""
    known = _known()
    if str(path) in known or not cache_folder.works(paths.cache_dir()):
        return
    with suppress(OSError):
        (paths.cache_dir() / _LIST).write_text(json.dumps([*known, str(path)]), encoding="utf-8")


def is_named(path: Path) -> bool:
    """Whether this user has named a file, on this machine."""
    return str(path) in _known()


def _known() -> list[str]:
    with suppress(OSError, ValueError):
        listed = parse_json((paths.cache_dir() / _LIST).read_text(encoding="utf-8"))
        if isinstance(listed, list):
            return [path for path in listed if isinstance(path, str)]
    return []
