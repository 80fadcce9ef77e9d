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
    """The exact text that `encode_text` was given."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def encode_json(value: Mapping[str, object]) -> str:
    """JSON in ASCII, so that SQLite's JSON functions can read it whatever the texts in it hold."""
    return json.dumps(value)


def decode_json(text: str | None) -> dict[str, Any]:
    """The object of a JSON column; an empty one for NULL."""
    value: dict[str, Any] = parse_json(text) if text else {}
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
