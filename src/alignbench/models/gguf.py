"""Reads the header of a GGUF file: what model it is, and whether all of it is there.

Layout (ggml, docs/gguf.md): magic, version, number of tensors, number of metadata entries, the entries, a
description of each tensor, padding, tensor data; all of it little-endian here. A model may be split over files,
NAME-00001-of-00003.gguf and so on, each with a header of its own.

The reader trusts no count and no length in the file: each is held against a limit, far above what any model has, and
against the bytes that are left, before anything is read or allocated. So whatever the file is, the answer takes a
second or two and little memory. That matters because llama.cpp aborts the process on some broken files, and says
little about one that is cut short.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal

from alignbench.errors import InputError
from alignbench.models.regular_files import open_regular

MAGIC = b"GGUF"
VERSIONS = (2, 3)
SMALL_ARRAY = 64  # longer arrays are skipped
MAX_DIMENSIONS = 4  # GGML_MAX_DIMS

# What a header may hold, over all the files of a model; the largest that are known have a tenth.
MAX_ENTRIES = 8_192
MAX_TENSORS = 32_768
MAX_ITEMS = 1_500_000  # texts in arrays that are stepped over: a vocabulary and its merges
MAX_NAME = 65_535  # bytes of a key, as the format says, and of a tensor's name
MAX_TEXT = 1 << 20  # bytes of a text that is kept; longer ones are stepped over
MAX_KEPT = 1 << 24  # bytes of all the texts that are kept
MAX_PARTS = 1_000  # files of one model

_PART = re.compile(r"(?P<prefix>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)

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
    """An array that was too long to keep: the type of its items, and how many there are. So is a text, of bytes."""

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
    parts: tuple[Path, ...] = ()  # the files of the model, in order, this one first
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of all tensors, the inner dimension first

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

    Of a model that is split, `path` is its first file; what is counted is counted over all of them.

    Raises InputError (BrokenFile where the file itself is at fault), with one message that names the file,
    for a file that is missing, is a folder, a pipe or a device, is no GGUF, is of a version that llama.cpp does not
    read any more, is damaged or cut short (also when only tensor data is missing), or holds more than any model does.
    """
    path = Path(path)
    room = _Room()
    header = _read_one(path, room)
    if header.metadata.get("general.type") == "adapter":
        raise InputError(f"{path} is an adapter, no model of its own; expected llama:/base.gguf+{path}.")
    count = header.metadata.get("split.count", 0)
    if not isinstance(count, int) or count < 2:
        return replace(header, parts=(path,))
    parts = _parts(path, count, header)
    for number, part in enumerate(parts[1:], start=2):
        following = _read_one(part, room)
        said = (following.metadata.get("split.no"), following.metadata.get("split.count"))
        if said != (number - 1, count):
            raise BrokenFile(f"{part} is no part {number} of {count} of {path.name}: its header says otherwise.")
        header = replace(
            header,
            n_tensors=header.n_tensors + following.n_tensors,
            n_parameters=header.n_parameters + following.n_parameters,
            file_size=header.file_size + following.file_size,
            shapes=MappingProxyType({**header.shapes, **following.shapes}),
        )
    return replace(header, parts=parts)


def read_adapter_header(path: Path) -> GgufHeader:
    """The header of an adapter's GGUF file. Raises as `read_header`, and for a file that is no adapter."""
    header = _read_one(path, _Room())
    if header.metadata.get("general.type") != "adapter":
        raise InputError(f"{path} is no adapter: its header says that it is a model of its own.")
    return header


def header(path: Path) -> GgufHeader:
    """The same, read again only when the file has changed."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return read_header(path)  # which says what is wrong
    known = _header(path, stat.st_size, stat.st_mtime_ns)
    return known if len(known.parts) == 1 else read_header(path)


@lru_cache(maxsize=64)
def _header(path: Path, _size: int, _mtime: int) -> GgufHeader:
    return read_header(path)


def _parts(path: Path, count: int, header: GgufHeader) -> tuple[Path, ...]:
    """The files of a model that is split, by the names that llama.cpp gives them."""
    named = _PART.fullmatch(path.name)
    if named is None or int(named["count"]) != count or count > MAX_PARTS:
        raise BrokenFile(f"{path} is one of {count:,} parts; expected a name that ends in -00001-of-{count:05}.gguf.")
    parts = tuple(path.with_name(f"{named['prefix']}-{i:05}-of-{count:05}.gguf") for i in range(1, count + 1))
    if header.metadata.get("split.no") != 0 or path != parts[0]:
        raise BrokenFile(f"{path} is not the first part of its model; expected {parts[0].name}.")
    return parts


def _read_one(path: Path, room: _Room) -> GgufHeader:
    with open_regular(path, "a GGUF file") as file:
        try:
            size = file.seek(0, 2)
            file.seek(0)
            return _Reader(path, file, size, room).header()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


@dataclass(slots=True)
class _Room:
    """What is left of the limits."""

    entries: int = MAX_ENTRIES
    tensors: int = MAX_TENSORS
    items: int = MAX_ITEMS
    kept: int = MAX_KEPT


class _Reader:
    """A position in the file, and never a read beyond its end."""

    def __init__(self, path: Path, file: BinaryIO, size: int, room: _Room) -> None:
        self.path, self.file, self.size, self.room = path, file, size, room
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
        self.take_room("entries", n_entries, "metadata entries", MAX_ENTRIES)
        self.take_room("tensors", n_tensors, "tensors", MAX_TENSORS)
        metadata: dict[str, GgufValue] = {}
        for i in range(n_entries):
            key = self.name(f"the key of metadata entry {i + 1} of {n_entries}")
            if key in metadata:
                raise self.damaged(f"it has {key} twice")
            metadata[key] = self.value(self.number("I", f"the type of {key}"), key)
        alignment = metadata.get("general.alignment", 32)
        if isinstance(alignment, bool) or not isinstance(alignment, int) or alignment.bit_count() != 1 or alignment < 1:
            raise self.damaged(f"general.alignment is {alignment!r}")
        shapes, data_length = self.tensors(n_tensors)
        data_start = -(-self.position // alignment) * alignment
        data_end = data_start + data_length if n_tensors else self.position
        if data_end > self.size:
            raise BrokenFile(
                f"{self.path} is cut short: it has {self.size:,} bytes and its header promises {data_end:,}. "
                "Download or copy it again."
            )
        n_parameters = sum(map(prod, shapes.values()))
        entries = MappingProxyType(metadata)
        return GgufHeader(version, entries, n_tensors, n_parameters, self.size, shapes=MappingProxyType(shapes))

    def tensors(self, n_tensors: int) -> tuple[dict[str, tuple[int, ...]], int]:
        """Shapes of all tensors, and bytes from the start of the data to the end of the last tensor."""
        end = 0
        shapes: dict[str, tuple[int, ...]] = {}
        for i in range(n_tensors):
            name = self.name(f"the name of tensor {i + 1} of {n_tensors}")
            if name in shapes:
                raise self.damaged(f"it has tensor {name} twice")
            n_dimensions = self.number("I", f"the dimensions of {name}")
            if n_dimensions > MAX_DIMENSIONS:
                raise self.damaged(f"tensor {name} has {n_dimensions:,} dimensions")
            shapes[name] = shape = tuple(self.number("Q", f"the shape of {name}") for _ in range(n_dimensions))
            kind = self.number("I", f"the type of {name}")
            offset = self.number("Q", f"the offset of {name}")
            count = prod(shape)
            if count >= 1 << 63:
                raise self.damaged(f"tensor {name} has {' x '.join(f'{n:,}' for n in shape)} elements")
            # a type that is newer than this table: its size is not known, but its data is not empty
            per_block, block_bytes = BLOCK_SIZES.get(kind, (max(count, 1), 1))
            end = max(end, offset + count // per_block * block_bytes)
        return shapes, end

    def value(self, kind: int, key: str) -> GgufValue:
        if kind == _STRING:
            return self.text(key)
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

    def text(self, key: str) -> str | Array:
        """A text, or how long it is where that is longer than what is kept."""
        length = self.number("Q", key)
        self.need(length, key)
        if length <= MAX_TEXT:
            return self.string(length, key)
        if key == "tokenizer.chat_template":
            raise self.beyond("bytes of a chat template", length, MAX_TEXT)
        self.skip(length)
        return Array("byte", length)

    def scalar(self, kind: int, key: str) -> Scalar:
        if kind == _STRING:
            return self.string(self.number("Q", key), key)
        if kind not in _SCALARS:
            raise self.damaged(f"{key} is of type {kind}")
        width = struct.calcsize("<" + _SCALARS[kind])
        value: Scalar = struct.unpack("<" + _SCALARS[kind], self.take(width, key))[0]
        return value

    def number(self, code: str, what: str) -> int:
        value: int = struct.unpack("<" + code, self.take(struct.calcsize("<" + code), what))[0]
        return value

    def name(self, what: str) -> str:
        """A key, or the name of a tensor."""
        length = self.number("Q", what)
        self.need(length, what)
        if length > MAX_NAME:
            raise self.beyond(f"bytes of {what}", length, MAX_NAME)
        name = self.string(length, what)
        if "\ufffd" in name:
            raise self.damaged(f"{what} is not UTF-8")
        return name

    def string(self, length: int, what: str) -> str:
        self.need(length, what)
        self.take_room("kept", length, "bytes of text", MAX_KEPT)
        return self.take(length, what).decode("utf-8", "replace")

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
        self.take_room("items", count, "texts in arrays", MAX_ITEMS)
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

    def take_room(self, what: Literal["entries", "tensors", "items", "kept"], n: int, called: str, most: int) -> None:
        left = getattr(self.room, what) - n
        if left < 0:
            raise self.beyond(called, most - left, most)
        setattr(self.room, what, left)

    def beyond(self, what: str, n: int, most: int) -> BrokenFile:
        return BrokenFile(f"{self.path} has {n:,} {what}; expected at most {most:,}, more than any model has.")

    def damaged(self, why: str) -> BrokenFile:
        return BrokenFile(f"{self.path} is cut short or damaged: {why}. Download or copy it again.")
