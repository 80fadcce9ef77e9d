"""Sessions on disk: one SQLite file, every finished sample committed at once, shared by processes."""

from __future__ import annotations

from alignbench.store.context_rows import ExampleSetInfo, HintRow, NewHint
from alignbench.store.option_masses import OptionMasses
from alignbench.store.rows import (
    UNKNOWN_FACTS,
    CellInfo,
    CellScore,
    Counts,
    GenerationFacts,
    GivenSample,
    Judgment,
    JudgmentRow,
    JudgmentStatus,
    LastSession,
    Note,
    Pace,
    PairScore,
    SampleRow,
    SampleStatus,
    SearchHit,
    SessionInfo,
    StoredCell,
)
from alignbench.store.store import Store

__all__ = [
    "UNKNOWN_FACTS",
    "CellInfo",
    "CellScore",
    "Counts",
    "ExampleSetInfo",
    "GenerationFacts",
    "GivenSample",
    "HintRow",
    "Judgment",
    "JudgmentRow",
    "JudgmentStatus",
    "LastSession",
    "NewHint",
    "Note",
    "OptionMasses",
    "Pace",
    "PairScore",
    "SampleRow",
    "SampleStatus",
    "SearchHit",
    "SessionInfo",
    "Store",
    "StoredCell",
]
