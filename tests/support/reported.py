"""Reports of the session of `conftest.store`."""

from __future__ import annotations

from typing import Any

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.reports.options import Options
from alignbench.reports.report import build_report
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool
from tests.support.judged import judgment

METRICS = ("words", "jaccard", "embedding_diversity", "embedding_similarity", "coverage", "surprisal")
HOSTILE = "=1+1|[x](y) <b>\x1b[31m"


def report(store: Store, **changes: Any) -> dict[str, Any]:
    pool = FakeEmbedPool()
    options = {"metrics": METRICS, "reference": "chat", "floor": "raw", "resamples": 100, **changes}
    vectors, pieces = (Embeddings(store, pool, DEFAULT_EMBEDDER) for _ in range(2))
    return build_report(store, 1, Options(**options), vectors, pieces)


def grade(store: Store) -> None:
    """Let a judge find every response good."""
    grades = dict.fromkeys(("helpfulness", "clarity", "factuality", "depth", "engagement"), 4)
    store.add_judgments(1, [judgment("quality", row.id, **grades) for row in store.samples(1) if row.text])
