"""A screen for which models read: what they are at can be given up, and read again."""

from __future__ import annotations

from typing import Any

from alignbench.tui.screen import WorkbenchScreen
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.controller import Workbench


class ReadingScreen(WorkbenchScreen[None]):
    """Keeps the jobs that what it shows is waiting for."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._jobs: list[BackgroundJob[Any]] = []

    @property
    def can_read_again(self) -> bool:
        """Whether something failed or was given up."""
        return any(not job.running and job.result is None for job in self._jobs)

    def action_back(self) -> None:
        running = [job for job in self._jobs if job.running]
        for job in running:
            job.cancel()
        if running:
            self.follow()
        else:
            self.dismiss(None)

    def action_again(self) -> None:
        for job in self._jobs:
            if not job.running and job.result is None:
                self.workbench.model_jobs.forget(job)
        self.follow()
