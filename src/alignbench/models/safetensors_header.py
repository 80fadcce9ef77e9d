"""Reads the header of a safetensors file: which tensors it has, and whether all of them are there.

Layout (huggingface/safetensors): the length of the header as a little-endian u64, the header as JSON, tensor data.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.models.regular_files import open_regular
from alignbench.parsing import parse_json

MAX_HEADER = 1 << 25  # bytes; a model of 100,000 tensors has a third


def tensor_names(path: Path) -> set[str]:
    """Names of the tensors in a file; raises as `tensor_shapes`."""
    return {*_tensors(path)}


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors in a file, by name. Raises InputError where it is no safetensors file or not all of one."""
    return {name: _shape(path, name, tensor) for name, tensor in _tensors(path).items()}


def _tensors(path: Path) -> dict[str, Any]:
    """What a header says of each tensor. Raises InputError where it is no safetensors file or not all of one."""
    with open_regular(path, "a safetensors file") as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= size - 8:
            raise InputError(f"{path} is no safetensors file, or is cut short. Download or copy it again.")
        if length > MAX_HEADER:
            raise InputError(f"{path} has a header of {length:,} bytes; expected at most {MAX_HEADER:,}.")
        data = file.read(length)
    try:
        header = parse_json(data.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: its header is no JSON that can be read: {error}.") from None
    if not isinstance(header, dict):
        raise InputError(f"{path} is damaged: its header is no object.")
    tensors = {name: value for name, value in header.items() if name != "__metadata__"}
    end = max((_end(path, name, tensor) for name, tensor in tensors.items()), default=0)
    if 8 + length + end > size:
        raise InputError(
            f"{path} is cut short: it has {size:,} bytes and its header promises {8 + length + end:,}. "
            "Download or copy it again."
        )
    return tensors


def _shape(path: Path, name: str, tensor: dict[str, Any]) -> tuple[int, ...]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise InputError(f"{path} is damaged: the shape of {name} is {str(shape)[:80]}.")
    return tuple(shape)


def _end(path: Path, name: str, tensor: Any) -> int:
    """Where a tensor's data ends."""
    offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
    match offsets:
        case [int(start), int(end)] if 0 <= start <= end:
            return end
    raise InputError(f"{path} is damaged: the place of {name} is {str(offsets)[:80]}.")
