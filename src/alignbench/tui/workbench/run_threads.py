"""Runs in the background: a thread for each, its events handed to the app in batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import AlignbenchError

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.experiments.plan import Plan
    from alignbench.experiments.runner import RunEvent
    from alignbench.experiments.staged import StagedRun
    from alignbench.store import SampleRow


class Runs:
    """The runs of a session.

    on_events: called from a run's thread when there is something to take after there was nothing; it must not block.
    on_row: called from a run's thread with each stored sample. A run owns its store and its thread, and ends by
    itself; threads are daemons, so a worker that hangs does not keep the process alive.
    """

    def __init__(
        self,
        db: Path,
        pool: EnginePool,
        embed: EmbedPool | None,
        on_events: Callable[[], None],
        on_row: Callable[[SampleRow], None],
    ) -> None:
        self._db = db
        self._pool, self._embed = pool, embed
        self._on_events = on_events
        self._on_row = on_row
        self._events: deque[RunEvent | Ended] = deque()
        self._announced = False
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._runs: set[StagedRun] = set()
        self.cancels = 0  # how often everything was cancelled

    @property
    def active(self) -> bool:
        return bool(self._threads)

    def start(self, plan: Plan, cancels: int) -> None:
        """Run a plan in a thread of its own. cancels: of when it was asked for; a later cancel is for this run too."""
        thread = threading.Thread(target=self._work, args=(plan, cancels), name="run", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _work(self, plan: Plan, cancels: int) -> None:
        message = ""
        try:
            self._follow(plan, cancels)
        except AlignbenchError as error:
            message = str(error)
        except Exception as error:  # the thread ends here: whatever it was, the app says so and goes on
            message = f"Sampling broke off: {type(error).__name__}: {error}"
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
            self._put(Ended(plan, message))

    def _follow(self, plan: Plan, cancels: int) -> None:
        from alignbench.experiments.runner import SampleStored
        from alignbench.experiments.staged import StagedRun
        from alignbench.store import Store

        with Store.open(self._db) as store:
            run = StagedRun(plan, self._pool, store, self._embed)
            with self._lock:
                self._runs.add(run)
                late = cancels != self.cancels
            if late:
                run.cancel()
            try:
                for event in run:
                    self._put(event)
                    if isinstance(event, SampleStored):
                        self._on_row(event.row)  # after its event, so that no score moves of what is not there yet
            finally:
                with self._lock:
                    self._runs.discard(run)
                run.cancel()  # of a run that broke off, what the engines still do

    def _put(self, event: RunEvent | Ended) -> None:
        with self._lock:
            self._events.append(event)
            announce, self._announced = not self._announced, True
        if announce:
            self._on_events()

    def take(self) -> list[RunEvent | Ended]:
        """All events since the last call."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
            self._announced = False
        return events

    def cancel(self, cell_id: int | None = None, sample: int | None = None) -> None:
        """Cancel a sample, a cell, or everything."""
        with self._lock:
            if cell_id is None:
                self.cancels += 1
            runs = list(self._runs)
        for run in runs:
            run.cancel(cell_id, sample)

    def wait(self, seconds: float) -> bool:
        """Wait for all runs to end; whether they did."""
        until = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)


class Ended:
    """A run is over. message: why it broke off, empty where it did not."""

    __slots__ = ("message", "plan")

    def __init__(self, plan: Plan, message: str = "") -> None:
        self.plan = plan
        self.message = message
