"""Sessions on disk: one SQLite file, every finished sample committed at once, shared by processes."""

from __future__ import annotations

from alignbench.store.context_rows import ExampleSetInfo, HintRow, NewHint
from alignbench.store.rows import (
    CellInfo,
    Judgment,
    JudgmentRow,
    JudgmentStatus,
    Note,
    PairScore,
    SampleRow,
    SessionInfo,
    Status,
)
from alignbench.store.store import Store

__all__ = [
    "CellInfo",
    "ExampleSetInfo",
    "HintRow",
    "Judgment",
    "JudgmentRow",
    "JudgmentStatus",
    "NewHint",
    "Note",
    "PairScore",
    "SampleRow",
    "SessionInfo",
    "Status",
    "Store",
]
