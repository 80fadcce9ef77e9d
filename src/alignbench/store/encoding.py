"""How Python values lie in SQLite columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench.parsing import parse_json


def encode_text(text: str) -> str | bytes:
    """A text as SQLite TEXT; one with lone surrogates, which UTF-8 does not have, as a BLOB (WTF-8)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def decode_text(value: str | bytes) -> str:
    """The exact text that `encode_text` was given. ValueError or TypeError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogatepass")
    raise TypeError(f"{value!r} is no text")


def label(value: object) -> str:
    """A text that nothing depends on, whatever lies in its column."""
    if isinstance(value, bytes):
        try:
            return decode_text(value)
        except ValueError:
            return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else ""


def encode_json(value: Mapping[str, object]) -> str:
    """JSON in ASCII, so that SQLite's JSON functions can read it whatever the texts in it hold."""
    return json.dumps(value)


def decode_json(text: str | None) -> dict[str, Any]:
    """The object of a JSON column; an empty one for NULL. ValueError for anything else."""
    value = parse_json(text) if text else {}
    if not isinstance(value, dict):
        raise ValueError("JSON that is no object")
    return value


def pack_ids(ids: Sequence[int] | NDArray[np.int32]) -> bytes:
    """Token ids as packed little-endian int32."""
    return np.asarray(ids, dtype="<i4").tobytes()


def unpack_ids(blob: bytes) -> NDArray[np.int32]:
    return np.frombuffer(blob, dtype="<i4").astype(np.int32)


def pack_floats(values: NDArray[np.float32]) -> bytes:
    """Values as packed little-endian float32."""
    return np.asarray(values, dtype="<f4").tobytes()


def unpack_floats(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
