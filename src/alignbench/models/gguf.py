"""Reads the header of a GGUF file: what model it is, and whether all of it is there.

Layout (ggml, docs/gguf.md): magic, version, number of tensors, number of metadata entries, the entries, a
description of each tensor, padding, tensor data; all of it little-endian here. The reader trusts no count
and no length in the file: each is held against the bytes that are left before anything is read or
allocated. That matters because llama.cpp aborts the process on some broken files, and says little about one
that is cut short.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from alignbench.errors import InputError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
SMALL_ARRAY = 64  # longer arrays are skipped
MAX_DIMENSIONS = 4  # GGML_MAX_DIMS

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TYPE_NAMES = {
    0: "uint8", 1: "int8", 2: "uint16", 3: "int16", 4: "uint32", 5: "int32", 6: "float32", 7: "bool",
    8: "string", 9: "array", 10: "uint64", 11: "int64", 12: "float64",
}  # fmt: skip

# ggml type: (elements in a block, bytes of a block), from ggml's type_traits, without the types that are gone
BLOCK_SIZES: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip

# general.file_type, from llama.h's llama_ftype
FILE_TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip


class BrokenFile(InputError):
    """The file is there, but it is no GGUF file, or not all of one."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array that was too long to keep: the type of its items, and how many there are."""

    type: str
    length: int


Scalar = int | float | bool | str
GgufValue = Scalar | tuple[Scalar, ...] | Array


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the header of a GGUF file says."""

    version: int
    metadata: Mapping[str, GgufValue]  # entries by key; arrays of more than SMALL_ARRAY items are an `Array`
    n_tensors: int
    n_parameters: int  # elements of all tensors
    file_size: int  # in bytes

    @property
    def architecture(self) -> str:
        """`llama`, `gemma3`, ...; empty where the file does not say."""
        return self._text("general.architecture")

    @property
    def name(self) -> str:
        """The model's own name, empty where it has none."""
        return self._text("general.name")

    @property
    def chat_template(self) -> str | None:
        """Jinja source of the chat template, None where there is none."""
        return self._text("tokenizer.chat_template") or None

    @property
    def context_length(self) -> int | None:
        """Longest context the model was trained for, in tokens."""
        value = self.metadata.get(f"{self.architecture}.context_length")
        return value if isinstance(value, int) else None

    @property
    def quantization(self) -> str:
        """Name of the file type (`Q4_K_M`), empty where the file gives none that is known."""
        value = self.metadata.get("general.file_type")
        return FILE_TYPES.get(value, "") if isinstance(value, int) else ""

    @property
    def size(self) -> str:
        """Size for people: the number of parameters (`135M`, `1.2B`)."""
        n = self.n_parameters
        if n >= 1_000_000_000:
            return f"{n / 1_000_000_000:.1f}B"
        return f"{n / 1_000_000:.0f}M" if n >= 1_000_000 else f"{n / 1000:.0f}K"

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""


def read_header(path: Path | str) -> GgufHeader:
    """The header of a GGUF file, in about 0.1 s whatever the size of the weights.

    Raises InputError (BrokenFile where the file itself is at fault), with one message that names the file,
    for a file that is missing, is a folder, is no GGUF, is of a version that llama.cpp does not read any
    more, or is damaged or cut short (also when only tensor data is missing).
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            return _Reader(path, file, size).header()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; expected a GGUF file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


class _Reader:
    """A position in the file, and never a read beyond its end."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path, self.file, self.size = path, file, size
        self.position = 0

    def header(self) -> GgufHeader:
        if (magic := self.file.read(4)) != MAGIC:
            what = "is empty" if not magic else "is no GGUF file"
            raise BrokenFile(f"{self.path} {what}; expected a GGUF file (it begins with the bytes GGUF).")
        self.position = len(magic)
        version = self.number("I", "the version")
        if version not in VERSIONS:
            big_endian = int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS
            format_name = "big-endian" if big_endian else f"version {version}"
            raise BrokenFile(f"{self.path} is {format_name} GGUF; expected little-endian, version 2 or 3.")
        n_tensors = self.number("Q", "the number of tensors")
        n_entries = self.number("Q", "the number of metadata entries")
        # the least an entry and a tensor take: an empty name, a type, a value; or counts, an offset
        least = n_entries * 13 + n_tensors * 24
        self.need(least, f"{n_entries:,} metadata entries and {n_tensors:,} tensors")
        metadata: dict[str, GgufValue] = {}
        for i in range(n_entries):
            key = self.string(f"the key of metadata entry {i + 1} of {n_entries}")
            metadata[key] = self.value(self.number("I", f"the type of {key}"), key)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise self.damaged(f"general.alignment is {alignment!r}")
        n_parameters, data_length = self.tensors(n_tensors)
        data_start = -(-self.position // alignment) * alignment
        data_end = data_start + data_length if n_tensors else self.position
        if data_end > self.size:
            raise BrokenFile(
                f"{self.path} is cut short: it has {self.size:,} bytes and its header promises {data_end:,}. "
                "Download or copy it again."
            )
        return GgufHeader(version, MappingProxyType(metadata), n_tensors, n_parameters, self.size)

    def tensors(self, n_tensors: int) -> tuple[int, int]:
        """Elements of all tensors, and bytes from the start of the data to the end of the last tensor."""
        elements = end = 0
        for i in range(n_tensors):
            name = self.string(f"the name of tensor {i + 1} of {n_tensors}")
            n_dimensions = self.number("I", f"the dimensions of {name}")
            if n_dimensions > MAX_DIMENSIONS:
                raise self.damaged(f"tensor {name} has {n_dimensions:,} dimensions")
            shape = [self.number("Q", f"the shape of {name}") for _ in range(n_dimensions)]
            kind = self.number("I", f"the type of {name}")
            offset = self.number("Q", f"the offset of {name}")
            count = prod(shape)
            # a type that is newer than this table: its size is not known, but its data is not empty
            per_block, block_bytes = BLOCK_SIZES.get(kind, (max(count, 1), 1))
            elements += count
            end = max(end, offset + count // per_block * block_bytes)
        return elements, end

    def value(self, kind: int, key: str) -> GgufValue:
        if kind != _ARRAY:
            return self.scalar(kind, key)
        item = self.number("I", f"the item type of {key}")
        length = self.number("Q", f"the length of {key}")
        if item == _STRING:
            self.need(8 * length, f"{length:,} items of {key}")
        elif item in _SCALARS:
            width = struct.calcsize("<" + _SCALARS[item])
            self.need(width * length, f"{length:,} items of {key}")
        else:
            raise self.damaged(f"{key} is an array of items of type {item}")
        if length <= SMALL_ARRAY:
            return tuple(self.scalar(item, key) for _ in range(length))
        if item == _STRING:
            self.skip_strings(length, key)
        else:
            self.skip(width * length)
        return Array(_TYPE_NAMES[item], length)

    def scalar(self, kind: int, key: str) -> Scalar:
        if kind == _STRING:
            return self.string(key)
        if kind not in _SCALARS:
            raise self.damaged(f"{key} is of type {kind}")
        width = struct.calcsize("<" + _SCALARS[kind])
        value: Scalar = struct.unpack("<" + _SCALARS[kind], self.take(width, key))[0]
        return value

    def number(self, code: str, what: str) -> int:
        value: int = struct.unpack("<" + code, self.take(struct.calcsize("<" + code), what))[0]
        return value

    def string(self, what: str) -> str:
        return self.take(self.number("Q", what), what).decode("utf-8", "replace")

    def take(self, n: int, what: str) -> bytes:
        self.need(n, what)
        data = self.file.read(n)
        if len(data) != n:  # the file shrank meanwhile
            raise self.damaged(f"{what} could not be read")
        self.position += n
        return data

    def skip(self, n: int) -> None:
        self.file.seek(n, 1)
        self.position += n

    def skip_strings(self, count: int, key: str) -> None:
        """Step over strings; a tokenizer has some 100,000, so the loop is kept bare."""
        read, seek, position, size = self.file.read, self.file.seek, self.position, self.size
        for _ in range(count):
            length = int.from_bytes(read(8), "little")
            position += 8 + length
            if position > size:
                raise self.damaged(f"an item of {key} would end at byte {position:,}")
            seek(length, 1)
        self.position = position

    def need(self, n: int, what: str) -> None:
        if n > self.size - self.position:
            left = self.size - self.position
            raise self.damaged(f"{what} would take {n:,} bytes at {self.position:,}, where {left:,} are left")

    def damaged(self, why: str) -> BrokenFile:
        return BrokenFile(f"{self.path} is cut short or damaged: {why}. Download or copy it again.")
