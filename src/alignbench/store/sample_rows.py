"""From a row of `sample_details` to a sample."""

from __future__ import annotations

from types import NoneType
from typing import Any, get_args

from alignbench.engines.protocol import FinishReason
from alignbench.store.encoding import decode_text, label
from alignbench.store.rows import SampleRow, SampleStatus

_COLUMN_KINDS: dict[str, type | tuple[type, ...]] = {
    "sample": int,
    **dict.fromkeys(("seed", "n_prompt_tokens", "n_tokens", "n_thinking_tokens"), (int, NoneType)),
    **dict.fromkeys(("seconds", "logprob", "probability"), (float, int, NoneType)),
}


def called(row: dict[str, Any]) -> str:
    """What a note calls it."""
    return f"sample {row['id']} of session {row['session_id']}"


def sample_row(row: dict[str, Any]) -> SampleRow:
    """Raises one of `base.UNREADABLE` where a column holds what it cannot."""
    for column, kinds in _COLUMN_KINDS.items():
        if not isinstance(row[column], kinds):
            raise TypeError(f"{column} is {row[column]!r}")
    if row["status"] not in get_args(SampleStatus):
        raise ValueError(f"status is {row['status']!r}")
    if row["finish_reason"] not in (None, *get_args(FinishReason)):
        raise ValueError(f"finish_reason is {row['finish_reason']!r}")
    return SampleRow(
        id=row["id"],
        cell_id=row["cell_id"],
        session=row["session_id"],
        prompt_id=decode_text(row["prompt_name"]),
        prompt=decode_text(row["prompt"]),
        condition=decode_text(row["condition"]),
        model=label(row["model"]),
        sample=row["sample"],
        seed=row["seed"],
        status=row["status"],
        text=decode_text(row["text"]),
        raw_text=decode_text(row["raw_text"]),
        finish_reason=row["finish_reason"],
        n_prompt_tokens=row["n_prompt_tokens"],
        n_tokens=row["n_tokens"],
        seconds=row["seconds"],
        logprob=row["logprob"],
        error=None if row["error"] is None else label(row["error"]),
        probability=row["probability"],
        thinking=_decoded(row["thinking"]),
        n_thinking_tokens=row["n_thinking_tokens"],
        refused=bool(row["refused"]),
        note=None if row["note"] is None else label(row["note"]),
    )


def _decoded(value: str | bytes | None) -> str | None:
    return None if value is None else decode_text(value)
