"""Reports of the session of `conftest.store`."""

from __future__ import annotations

from typing import Any

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.reports.contents import Report, ReportMeta
from alignbench.reports.options import Options
from alignbench.reports.report import build_report
from alignbench.reports.to_json import report_json
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool
from tests.support.judged import judgment

METRICS = ("words", "jaccard", "embedding_diversity", "embedding_similarity", "coverage", "surprisal")
HOSTILE = "=1+1|[x](y) <b>\x1b[31m"


def report(store: Store, **changes: Any) -> Report:
    pool = FakeEmbedPool()
    options = {"metrics": METRICS, "reference": "chat", "floor": "raw", "resamples": 100, **changes}
    vectors, pieces = (Embeddings(store, pool, DEFAULT_EMBEDDER) for _ in range(2))
    return build_report(store, 1, Options(**options), vectors, pieces)


def record(store: Store, **changes: Any) -> dict[str, Any]:
    """The same as JSON."""
    return report_json(report(store, **changes))


def meta(reference: str | None = "chat", **changes: Any) -> ReportMeta:
    """Of a report on nothing."""
    nothing: dict[str, Any] = {
        "name": "", "created": "", "updated": "", "floor": None, "floor_reason": "", "mode": "workbench", "prompts": 0,
        "contested": 0, "samples": 0, "left_out": 0, "metrics": {}, "resamples": 0, "seed": 0,
        "conditions": {}, "ladders": (), "judges": {}, "manifest": {}, "notes": (),
    }  # fmt: skip
    return ReportMeta(**{**nothing, "reference": reference, **changes})


def grade(store: Store) -> None:
    """Let a judge find every response good."""
    grades = dict.fromkeys(("helpfulness", "clarity", "factuality", "depth", "engagement"), 4)
    store.add_judgments(1, [judgment("quality", row.id, **grades) for row in store.samples(1) if row.text])
