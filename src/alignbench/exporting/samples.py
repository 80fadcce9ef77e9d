"""A session's samples for other programs: JSON lines that `alignbench import jsonl` reads, and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import IO, Any

from alignbench.display import spreadsheet_cell
from alignbench.store import Store

COLUMNS = ("prompt_id", "prompt", "condition", "kind", "model", "sample", "seed", "status", "text", "finish_reason",
           "n_prompt_tokens", "n_tokens", "seconds", "logprob", "error")  # fmt: skip


def sample_rows(store: Store, session: int) -> Iterator[dict[str, Any]]:
    """Every sample of a session, errors and cancelled ones too, by cell and index; never all in memory."""
    kinds = {condition.name: condition.model.kind for condition in store.conditions(session)}
    for row in store.samples(session):
        yield {name: kinds[row.condition] if name == "kind" else getattr(row, name) for name in COLUMNS}


def write_jsonl(store: Store, session: int, out: IO[str]) -> None:
    """In ASCII, so that texts with halves of surrogate pairs come through."""
    for row in sample_rows(store, session):
        out.write(json.dumps(row) + "\n")


def write_csv(store: Store, session: int, out: IO[str]) -> None:
    """Safe to open in a spreadsheet: no text is taken for a formula."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sample_rows(store, session):
        writer.writerow(["" if v is None else spreadsheet_cell(v) if isinstance(v, str) else v for v in row.values()])
