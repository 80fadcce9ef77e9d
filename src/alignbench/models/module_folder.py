"""Folders of sentence-transformers: a list of modules, each with files of its own, looked at before one is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.models.folder_files import NO_WEIGHTS, check_json, loaded_files, placed
from alignbench.models.regular_files import is_regular, open_regular
from alignbench.parsing import parse_json
from alignbench.textfiles import json_type, read_utf8

_MODULES = "modules.json"
_CLASSES = "sentence_transformers."  # where the classes of modules come from; others are code from elsewhere
_READ = (".json", ".txt", ".model", ".safetensors")
_PICKLES = ("pytorch_model.bin", "adapter_model.bin", "model.pt", "model.pth", "model.pkl")


def check_modules(folder: Path) -> None:
    """Raises InputError where a module would be read from a pickle, from elsewhere, or by code that came with it."""
    for place in (folder, *_places(folder)):
        files = loaded_files(place)
        if not files and (pickled := next((name for name in _PICKLES if (place / name).exists()), "")):
            raise InputError(f"{place} has {pickled} and no *.safetensors. {NO_WEIGHTS}")
        check_json([path for path in place.glob("*.json") if is_regular(path)])


def modules_hash(folder: Path) -> str:
    """SHA-256 of all the files of a folder that a model may be read from, their names with them."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _READ and is_regular(path):
            with open_regular(path) as file:
                line = f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(folder)}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _places(folder: Path) -> Iterator[Path]:
    """The folders of the modules."""
    path = folder / _MODULES
    if not is_regular(path):
        return
    try:
        modules = parse_json(read_utf8(path))
    except ValueError as error:
        raise InputError(f"{path}: not JSON that can be read: {error}.") from None
    if not isinstance(modules, list):
        raise InputError(f"{path}: {json_type(modules)}; expected a list of modules.")
    for number, module in enumerate(modules, start=1):
        where = f"{path}, module {number}"
        name, kind = _text(module, "path", where), _text(module, "type", where)
        if not kind.startswith(_CLASSES):
            raise InputError(f"{where}: type is {kind!r}; expected one of {_CLASSES}*, not code of its own.")
        if name and (folder / name).exists():  # some have no files
            yield placed(folder, name, path)


def _text(module: Any, key: str, where: str) -> str:
    value = module.get(key) if isinstance(module, dict) else None
    if not isinstance(value, str):
        raise InputError(f'{where}, field "{key}": {json_type(value)}; expected a text.')
    return value
