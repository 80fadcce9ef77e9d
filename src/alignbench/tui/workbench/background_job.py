"""Work that takes a while, on a thread of its own: it says how far it is, can be given up, and ends in a result or an
error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from alignbench.errors import AlignbenchError
from alignbench.progress import PERCENT, Progress
from alignbench.tui.text import bar

T = TypeVar("T")


class Cancelled(Exception):
    """Raised inside the work when nobody waits for it any more."""


def on_own_thread(job: BackgroundJob[Any]) -> None:
    """Run a job at once."""
    threading.Thread(target=job.run, name="job", daemon=True).start()


class BackgroundJob(Generic[T]):
    """Begins at once. A job that is given up is over for whoever looks at it; its thread ends at its next report.

    Attributes:
        doing: What is being done.
        fraction: How much of it is done, 0 to 1.
        result: None until it is done.
        error: Why it failed, else empty.
        dropped: Whether it was given up before it began.
        took, ended: How long the work took, and when that was over, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        work: Callable[[Progress], T],
        changed: Callable[[], None],
        start: Callable[[BackgroundJob[T]], None] = on_own_thread,
    ) -> None:
        """
        Args:
            work: Gives the result; it is handed a callback for its reports.
            changed: Called from the thread after each report and at the end; it must not block.
            start: Has `run` called on a thread.
        """
        self._work = work
        self._changed = changed
        self._cancelled = threading.Event()
        self.doing = ""
        self.fraction = 0.0
        self.result: T | None = None
        self.error = ""
        self.dropped = False
        self.took = self.ended = 0.0
        start(self)

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def running(self) -> bool:
        return self.result is None and not self.error and not self.cancelled

    def cancel(self) -> None:
        """Give it up; what it may still find is thrown away."""
        self._cancelled.set()

    def drop(self) -> None:
        """Give it up before it has begun."""
        self.dropped = True
        self.cancel()

    def _progress(self, what: str, done: int, total: int, /) -> None:
        if self.cancelled:
            raise Cancelled
        counts = total not in (1, PERCENT)  # where they say more than the fraction
        self.doing, self.fraction = f"{what} {done}/{total}" if counts else what, done / max(1, total)
        self._changed()

    def run(self) -> None:
        """Do the work; called once, from the thread that does it."""
        began = time.monotonic()
        try:
            result = self._work(self._progress)
            if not self.cancelled:
                self.result = result
        except Cancelled:
            return
        except AlignbenchError as error:
            self.error = str(error)
        except Exception as error:  # the thread ends here: whatever it was, the app says so and goes on
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self.ended = time.monotonic()
            self.took = self.ended - began
        self._changed()


def waiting(job: BackgroundJob[Any], key: str = "c") -> str:
    """How it stands with a job that has no result. key: what gives it up."""
    if job.error:
        return f"{job.error}   r tries again."
    if job.cancelled:
        return "Given up.   r computes it."
    return f"{job.doing} {bar(job.fraction, 12)} {job.fraction:.0%}   {key} gives up"
