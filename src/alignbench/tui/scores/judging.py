"""Judged scores of the prompt on the screen: what the judge has not judged yet is asked, the rest is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alignbench.errors import InputError
from alignbench.judging.plan import plan_judging
from alignbench.judging.summary import judgments_of, pair_sources, summarize
from alignbench.judging.templates import PAIRED
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import Value
from alignbench.progress import PERCENT, Progress
from alignbench.scoring.model_based.stances import cell_scores
from alignbench.spec import Model
from alignbench.store import JudgmentRow, Store
from alignbench.tui.scores.snapshot import OnDemandResult, Snapshot
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.judging import run_judge
from alignbench.tui.workbench.metric_rows import stance_row


def judge(kind: str, model: Model, backends: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    """Judged scores. Every judgment is stored when it is made, so what was given up goes on where it was.

    Args:
        kind: What is judged; where that is a pair, one of the two is the reference's.
        model: Who judges.
        backends: What is computed with.
        snapshot: The samples.
        progress: Is called with what is being done.
    """
    reference = snapshot.roles.reference
    if kind in PAIRED and reference is None:
        raise InputError("No column is the reference: * on the Bench marks one.")
    progress(f"loading {model.name}", 0, PERCENT)
    with Store.open(backends.db) as store:
        session = snapshot.session or 0
        plan = plan_judging(store, session, kind, model, reference=reference)
        run_judge(
            replace(plan, items=tuple(item for item in plan.items if _here(snapshot, item.sample_id))),
            backends,
            store,
            progress,
        )
        rows = [
            row
            for row in judgments_of(store, session, kind, model.reference, reference if kind in PAIRED else None)
            if _here(snapshot, row.judgment.sample_id)
        ]
        table = summarize(kind, rows, Uncertainty(), pair_sources(store, session, rows)) if rows else {}
    by_metric: dict[str, dict[str, Value]] = {}
    for name, fields in table.items():
        condition = next(one for one in snapshot.conditions if name in (one, f"{one} vs {reference}"))
        for field, judged in fields.items():
            beside = {"invalid": float(judged.invalid), "na": float(judged.na)}
            why = "" if judged.value is not None else judged.reason or _why(judged.invalid, judged.na)
            by_metric.setdefault(f"{kind}.{field}", {})[condition] = Value(judged.value, judged.n, why, extra=beside)
    if kind == "stance":
        _add_stance_scores(by_metric, rows)
    if kind in PAIRED and reference is not None:
        for values in by_metric.values():
            values[reference] = Value(None, 0, "the reference is what the others are judged against")
    return OnDemandResult(by_metric)


def _add_stance_scores(by_metric: dict[str, dict[str, Value]], rows: Sequence[JudgmentRow]) -> None:
    """The scores of the stances that were read, by condition."""
    said: dict[str, list[str]] = {}
    for row in rows:
        if row.judgment.status == "valid":
            said.setdefault(row.condition, []).append(str(row.judgment.fields["stance"]))
    for condition, stances in said.items():
        for name, value in cell_scores(stances).items():
            by_metric.setdefault(stance_row(name), {})[condition] = value


def _here(snapshot: Snapshot, sample: int) -> bool:
    """Whether a sample of the database is of the prompt and the columns on the screen."""
    return any(row.id == sample for rows in snapshot.samples[snapshot.prompt].values() for row in rows)


def _why(invalid: int, na: int) -> str:
    if invalid:
        return f"none of the judge's replies could be read ({invalid})"
    return f"the judge has no say on it ({na})" if na else "not judged"
