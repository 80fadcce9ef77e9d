"""Jobs by what they are about, so that nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from alignbench.progress import Progress
from alignbench.tui.workbench.background_job import BackgroundJob, on_own_thread

Work = Callable[[Progress], Any]


class JobCache:
    """A job that failed or was given up stays, for its error to be shown, until it is forgotten or begun anew."""

    def __init__(
        self,
        changed: Callable[[], None],
        start: Callable[[BackgroundJob[Any]], None] = on_own_thread,
        keep: int = 200,
    ) -> None:
        """
        Args:
            changed: Called from a job's thread when there is something new to see; it must not block.
            start: Has a job's `run` called on a thread.
            keep: So many jobs that are over are kept, the latest.
        """
        self._changed = changed
        self._start = start
        self._keep = keep
        self._jobs: dict[Hashable, BackgroundJob[Any]] = {}

    def get(self, key: Hashable) -> BackgroundJob[Any] | None:
        """The latest job of this key."""
        return self._jobs.get(key)

    def ask(self, key: Hashable, work: Work) -> BackgroundJob[Any]:
        """The job of this key; begun now where there is none, or where it was given up before it began."""
        job = self._jobs.get(key)
        return self.begin(key, work) if job is None or job.dropped else job

    def begin(self, key: Hashable, work: Work) -> BackgroundJob[Any]:
        """A new job in the place of any other of this key."""
        over = [known for known, job in self._jobs.items() if not job.running]
        for known in over[: -self._keep]:
            del self._jobs[known]
        job = self._jobs[key] = BackgroundJob(work, self._changed, self._start)
        return job

    def results(self) -> dict[Any, Any]:
        """What has been computed, by key."""
        return {key: job.result for key, job in self._jobs.items() if job.result is not None}

    def forget(self, job: BackgroundJob[Any]) -> None:
        """Have it begun anew when it is asked for again."""
        self._jobs = {key: known for key, known in self._jobs.items() if known is not job}

    @property
    def running(self) -> bool:
        return any(job.running for job in self._jobs.values())

    def cancel(self) -> None:
        """Give up what runs."""
        for job in self._jobs.values():
            job.cancel()

    close = cancel
