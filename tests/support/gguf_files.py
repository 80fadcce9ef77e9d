"""Small GGUF files made by hand, for tests that need no weights."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, value: object) -> bytes:
    return text(key) + typed(value)


def typed(value: object) -> bytes:
    """A value with its type: str, int (u32), float, bool, or a list of one of them."""
    match value:
        case str():
            return struct.pack("<I", 8) + text(value)
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case list():
            items = [typed(item) for item in value]
            kind = items[0][:4] if items else struct.pack("<I", 4)
            return struct.pack("<I", 9) + kind + struct.pack("<Q", len(items)) + b"".join(i[4:] for i in items)
    raise TypeError(value)


def gguf(
    metadata: Mapping[str, object] | None = None,
    tensors: Sequence[tuple[str, Sequence[int], int, int]] = (("token_embd.weight", (64, 4), 0, 0),),
    *,
    version: int = 3,
    data: int = 64 * 4 * 4,
) -> bytes:
    """The bytes of a GGUF file. tensors: (name, shape, ggml type, offset). data: bytes of tensor data."""
    entries = {"general.architecture": "llama", "llama.context_length": 2048, **(metadata or {})}
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries))
    out += b"".join(entry(key, value) for key, value in entries.items())
    for name, shape, kind, offset in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<IQ", kind, offset)
    alignment = entries.get("general.alignment", 32)
    assert isinstance(alignment, int)
    return out + bytes(-len(out) % alignment) + bytes(data)


def write_gguf(path: Path, *, chat_template: str | None = None) -> Path:
    """A file that passes for a tiny model: aligned with a chat template, base without."""
    metadata = {} if chat_template is None else {"tokenizer.chat_template": chat_template}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf(metadata))
    return path
