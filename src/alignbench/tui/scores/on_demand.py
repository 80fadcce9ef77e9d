"""Scores that are too costly to run while samples arrive: run when somebody asks, with progress, and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

from alignbench.spec import Model
from alignbench.tui.background_job import BackgroundJob
from alignbench.tui.scores.judging import judge as judged
from alignbench.tui.scores.model_metrics import RUNNERS, Backends
from alignbench.tui.scores.snapshot import OnDemandResult, Snapshot


class OnDemandScores:
    """The costly scores of a session that were asked for. A result is of the very samples it was computed from."""

    def __init__(self, means: Backends, changed: Callable[[], None]) -> None:
        self._means = means
        self._changed = changed
        self._jobs: dict[tuple[str, Hashable], BackgroundJob[OnDemandResult]] = {}

    def run(self, what: str, snapshot: Snapshot, judge: Model | None = None) -> None:
        """Begin, unless it runs or is there. what: a score's name, or a kind of judgment, which needs a judge."""
        job = self.job(what, snapshot)
        if job is None or judge is not None or not (job.running or job.result):
            work = RUNNERS[what] if judge is None else partial(judged, what, judge)
            self._jobs[what, _basis(snapshot)] = BackgroundJob(partial(work, self._means, snapshot), self._changed)

    def job(self, what: str, snapshot: Snapshot) -> BackgroundJob[OnDemandResult] | None:
        """The latest run on these samples."""
        return self._jobs.get((what, _basis(snapshot)))

    def outcomes(self, snapshot: Snapshot) -> dict[str, OnDemandResult]:
        """What is there for these samples, by what was run."""
        basis = _basis(snapshot)
        return {what: job.result for (what, of), job in self._jobs.items() if of == basis and job.result is not None}

    @property
    def running(self) -> bool:
        return any(job.running for job in self._jobs.values())

    def cancel(self) -> None:
        """Give up what runs."""
        for job in self._jobs.values():
            job.cancel()


def _basis(snapshot: Snapshot) -> Hashable:
    """What a score of the prompt on the screen rests on."""
    samples = snapshot.samples[snapshot.prompt]
    rows = tuple((name, tuple(row.id for row in found)) for name, found in samples.items())
    return snapshot.prompt, rows, snapshot.roles.reference, snapshot.base
