"""Scores that are too costly to run while samples arrive: run when somebody asks, with progress, and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from alignbench import paths
from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import EmbedPool
from alignbench.scoring.embeddings import Embeddings
from alignbench.scoring.sentences import coverages
from alignbench.store import Store
from alignbench.tui.job import Job, Report
from alignbench.tui.panel.snapshot import Outcome, Snapshot


class Demands:
    """The costly scores of a session that were asked for. A result is of the very samples it was computed from."""

    def __init__(self, embed: EmbedPool | None, changed: Callable[[], None]) -> None:
        self._embed = embed
        self._changed = changed
        self._jobs: dict[tuple[str, Hashable], Job[Outcome]] = {}

    def run(self, metric: str, snapshot: Snapshot) -> str:
        """Begin; why that cannot be, or nothing."""
        runners = {"coverage": self._coverage}
        if metric not in runners:
            return "The app does not compute this score."
        if snapshot.roles.reference is None:
            return "Mark a reference column first (* on the Bench)."
        job = self.job(metric, snapshot)
        if job is None or not (job.running or job.result):
            work = runners[metric]
            self._jobs[metric, _basis(snapshot)] = Job(lambda report: work(snapshot, report), self._changed)
        return ""

    def job(self, metric: str, snapshot: Snapshot) -> Job[Outcome] | None:
        """The latest run of a score on these samples."""
        return self._jobs.get((metric, _basis(snapshot)))

    def outcomes(self, snapshot: Snapshot) -> dict[str, Outcome]:
        """What is there for these samples, by score."""
        basis = _basis(snapshot)
        return {
            metric: job.result for (metric, of), job in self._jobs.items() if of == basis and job.result is not None
        }

    @property
    def running(self) -> bool:
        return any(job.running for job in self._jobs.values())

    def cancel(self) -> None:
        """Give up what runs."""
        for job in self._jobs.values():
            job.cancel()

    def _coverage(self, snapshot: Snapshot, report: Report) -> Outcome:
        reference = snapshot.roles.reference
        assert reference is not None

        def progress(done: int, of: int) -> None:
            report(f"embedding sentences {done}/{of}", done / max(1, of))

        with Store.open(paths.embedding_cache()) as store:
            embeddings = Embeddings(store, self._embed, DEFAULT_EMBEDDER)
            return Outcome(cross=coverages(snapshot.cells(), reference, embeddings, progress))


def _basis(snapshot: Snapshot) -> Hashable:
    """What a score of the prompt on the screen rests on."""
    samples = snapshot.samples[snapshot.prompt]
    rows = tuple((name, tuple(row.id for row in found)) for name, found in samples.items())
    return snapshot.prompt, rows, snapshot.roles.reference
