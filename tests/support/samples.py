"""Sample results to store."""

from __future__ import annotations

import numpy as np

from alignbench.engines.protocol import FinishReason, SampleResult, TokenStats
from alignbench.spec import Model
from alignbench.store import Store


def result(
    sample: int, text: str, finish_reason: FinishReason = "stop", *, raw_text: str | None = None, n: int = 3
) -> SampleResult:
    """A result of n tokens whose statistics are all different."""
    floats = np.arange(4 * n, dtype=np.float32).reshape(4, n) / -7
    tokens = TokenStats(np.arange(n, dtype=np.int32) + 100, *floats)
    raw = text + "\n\n" if raw_text is None else raw_text
    return SampleResult(sample, text, raw, finish_reason, 11, n, 0.25, float(floats[0].sum()), tokens)


def done_samples(store: Store, cell: int) -> set[int]:
    """Indices of the finished samples of a cell of session 1."""
    return {row.sample for row in store.samples(1, cell_id=cell) if row.status == "done"}


BASE = Model("demo-base", "demo-base", "base")


ALIGNED = Model("demo-smollm2", "demo-smollm2", "aligned")
