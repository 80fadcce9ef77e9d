"""One thread that does the latest of the jobs it is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from alignbench.tui.workbench.background_job import BackgroundJob

_REST = 0.5  # seconds at most between two jobs


class LatestThread:
    """A job that has not begun is dropped when another one comes.

    Between two jobs the thread rests for as long as the last one took: what is computed while samples arrive follows
    them without taking the app's time.
    """

    def __init__(self, at_end: Callable[[], None]) -> None:
        """at_end: called from the thread after its last job."""
        self._at_end = at_end
        self._waiting = threading.Condition()
        self._next: BackgroundJob[Any] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def start(self, job: BackgroundJob[Any]) -> None:
        """Do this job next."""
        with self._waiting:
            if self._next is not None:
                self._next.drop()
            self._next = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="latest", daemon=True)
                self._thread.start()
            self._waiting.notify()

    def close(self) -> None:
        """Begin nothing more."""
        with self._waiting:
            self._closed, self._next = True, None
            self._waiting.notify()

    def _run(self) -> None:
        try:
            while (job := self._take()) is not None:
                began = time.monotonic()
                job.run()
                if not self._closed:
                    time.sleep(min(_REST, time.monotonic() - began))
        finally:
            self._at_end()

    def _take(self) -> BackgroundJob[Any] | None:
        with self._waiting:
            self._waiting.wait_for(lambda: self._next is not None or self._closed)
            job, self._next = self._next, None
            return job
