"""How a path that is being typed may go on."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from alignbench.display import visible
from alignbench.errors import InputError
from alignbench.textfiles import home_expanded

MOST = 10_000  # entries of a folder that are looked at
_MODEL_PATH = re.compile(r"(?:llama|hf|vllm):(?:.*\+)?")  # of a reference, what stands before its last path


def completions(text: str) -> list[str]:
    """The text with each name of the folder that it leads to; folders end in a slash. Hidden ones only after a dot."""
    head, slash, stem = text.rpartition("/")
    if text == "~":
        return ["~/"]
    try:
        folder = home_expanded(head + slash or ".")
        with os.scandir(folder) as entries:
            found = [
                f"{head}{slash}{entry.name}{'/' * _is_folder(entry)}"
                for entry, _ in zip(entries, range(MOST), strict=False)
                if entry.name.startswith(stem) and (stem.startswith(".") or not entry.name.startswith("."))
            ]
    except (InputError, OSError, ValueError):  # InputError: of ~nobody; ValueError: of a NUL
        return []
    return sorted(each for each in found if visible(each) == each)


def model_completions(text: str) -> list[str]:
    """The same of the path in a model's reference, such as llama:/path/file.gguf."""
    before = _MODEL_PATH.match(text)
    if before is None:
        return []
    return [before[0] + each for each in completions(text[before.end() :])]


def common(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
