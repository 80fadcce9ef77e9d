"""Scores that are too costly to run while samples arrive: run when somebody asks, with progress, and kept.

A result is of the very samples that it was computed from.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from alignbench.spec import Model
from alignbench.tui.scores.judging import judge as judged
from alignbench.tui.scores.model_metrics import RUNNERS
from alignbench.tui.scores.own_scores import own_score
from alignbench.tui.scores.snapshot import OnDemandResult, Snapshot
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.job_cache import JobCache


def run_on_demand(
    jobs: JobCache, backends: Backends, what: str, snapshot: Snapshot, judge: Model | None = None
) -> None:
    """Begin, unless it runs or is there.

    Args:
        jobs: Those of the session.
        backends: What it is computed with.
        what: A score's name, or a kind of judgment.
        snapshot: The samples it is of.
        judge: Who judges, which a kind of judgment needs; it is asked again for what it has not judged.
    """
    job = job_on_demand(jobs, what, snapshot)
    if job is None or judge is not None or not (job.running or job.result):
        runner = RUNNERS.get(what) or partial(own_score, what)
        work = runner if judge is None else partial(judged, what, judge)
        jobs.begin((what, _basis(snapshot)), partial(work, backends, snapshot))


def job_on_demand(jobs: JobCache, what: str, snapshot: Snapshot) -> BackgroundJob[OnDemandResult] | None:
    """The latest run on these samples."""
    return jobs.get((what, _basis(snapshot)))


def results_on_demand(jobs: JobCache, snapshot: Snapshot) -> dict[str, OnDemandResult]:
    """What is there for these samples, by what was run."""
    basis = _basis(snapshot)
    return {what: result for (what, of), result in jobs.results().items() if of == basis}


def _basis(snapshot: Snapshot) -> Hashable:
    """What a score of the prompt on the screen rests on."""
    samples = snapshot.samples[snapshot.prompt]
    rows = tuple((name, tuple(row.id for row in of_column)) for name, of_column in samples.items())
    return snapshot.prompt, rows, snapshot.roles.reference, snapshot.base
