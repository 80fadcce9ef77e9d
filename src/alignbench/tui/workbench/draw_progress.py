"""How far runs are, and how long sampling has been going on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from alignbench.tui.text import about, count
from alignbench.tui.workbench.notice import Notice

if TYPE_CHECKING:
    from alignbench.experiments.plan import Plan, PlannedCell
    from alignbench.experiments.runner import RunEvent
    from alignbench.spec import Model

Clock = Callable[[], float]


class SamplingClock:
    """The time that runs take; those that overlap count once."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._runs = 0
        self._began = self._took = 0.0

    def begin(self) -> None:
        """A run begins."""
        if not self._runs:
            self._began = self._clock()
        self._runs += 1

    def end(self) -> None:
        """One of them is over."""
        self._runs -= 1
        if not self._runs:
            self._took = self._clock() - self._began

    @property
    def seconds(self) -> float:
        """How long sampling has been going on, or took last; 0 before the first run."""
        return self._clock() - self._began if self._runs else self._took


class DrawProgress:
    """One run: its cells, and the time that is left at the pace that its models have.

    Attributes:
        plan: The cells that it draws samples of.
        cells: How many were asked for, those that lacked nothing among them.
        done: Complete ones.
        failed: Those of which a sample cannot be drawn.
        stopped: Whether it was cancelled.
        is_set: Whether it is over more than one prompt.
    """

    def __init__(self, plan: Plan, complete: int = 0, clock: Clock = time.monotonic) -> None:
        """complete: cells beside those of the plan that were asked for and lacked nothing."""
        self.plan = plan
        self.cells, self.done = complete + len(plan.cells), complete
        self.failed = 0
        self.stopped = False
        self._clock = clock
        self.is_set = len({cell.prompt.key for cell in plan.cells}) > 1
        self._undone = {cell.id: len(cell.missing) for cell in plan.cells}
        self._unstored = dict(self._undone)
        self._left: Counter[Model] = Counter()
        for cell in plan.cells:
            self._left[cell.condition.model] += len(cell.missing)
        self._drawn: Counter[Model] = Counter()
        self._began: dict[Model, float] = {}
        self._told: set[tuple[Model, str]] = set()

    def take(self, event: RunEvent) -> str:
        """Take an event of the run into account; what there is to say about a failure that is the first of its kind."""
        from alignbench.experiments.runner import CellDone, CellFailed, CellStarted, SampleStored

        match event:
            case CellStarted():
                self._began.setdefault(event.cell.condition.model, self._clock())
            case SampleStored():
                self._store(event.cell, done=event.row.status == "done")
            case CellFailed() if not self.stopped:
                self._end(event.cell)
                self.failed += 1
                return self._first(event.cell, event.message)
            case CellFailed() | CellDone():
                self._end(event.cell)
        return ""

    def _store(self, cell: PlannedCell, *, done: bool) -> None:
        self._drawn[cell.condition.model] += 1
        self._left[cell.condition.model] -= 1
        self._unstored[cell.id] -= 1
        self._undone[cell.id] -= done
        self.done += done and not self._undone[cell.id]

    def _end(self, cell: PlannedCell) -> None:
        """Nothing more comes of a cell."""
        self._left[cell.condition.model] -= self._unstored.pop(cell.id, 0)

    def _first(self, cell: PlannedCell, message: str) -> str:
        known = (cell.condition.model, message)
        if known in self._told:
            return ""
        self._told.add(known)
        return f"{cell.condition.name}, prompt {cell.prompt.id}: {message}"

    @property
    def seconds_left(self) -> float | None:
        """At the pace of this run, with its models side by side; None before each of them has drawn a sample."""
        left = [model for model, n in self._left.items() if n > 0]
        if any(not self._drawn[model] for model in left):
            return None
        now = self._clock()
        paces = {model: (now - self._began.get(model, now)) / self._drawn[model] for model in left}
        return max((self._left[model] * paces[model] for model in left), default=0.0)

    @property
    def end_words(self) -> str:
        """What there is to say when it is over."""
        if self.done == self.cells:
            return f"All {count(self.cells, 'cell')} drawn."
        drawn = f"{self.done} of {count(self.cells, 'cell')} drawn"
        if self.stopped:
            return f"Stopped: {drawn}. F5 goes on with what is missing."
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{drawn}{failed}. F5 draws what is missing."


class RunsUnderWay:
    """The runs that go on, and how long they have been going on."""

    def __init__(self) -> None:
        self._clock = SamplingClock()
        self._runs: dict[int, DrawProgress] = {}  # by the identity of their plan

    def __bool__(self) -> bool:
        return bool(self._runs)

    @property
    def seconds(self) -> float:
        """How long sampling has been going on, or took."""
        return self._clock.seconds

    def begin(self, plan: Plan, complete: int, *, stopped: bool) -> None:
        """A run begins. complete: cells that lacked nothing; stopped: it was cancelled before."""
        run = self._runs[id(plan)] = DrawProgress(plan, complete)
        run.stopped = stopped
        self._clock.begin()

    def stop(self) -> None:
        """All of them were cancelled."""
        for run in self._runs.values():
            run.stopped = True

    def take(self, plan: Plan | None, event: RunEvent) -> list[Notice]:
        """Take an event of the run of a plan into account."""
        run = self._runs.get(id(plan))
        failure = run.take(event) if run is not None else ""
        # On one prompt a failure stands in its column.
        return [Notice(failure)] if failure and run is not None and run.is_set else []

    def end(self, plan: Plan, message: str) -> list[Notice]:
        """A run is over. message: why it broke off, empty where it did not."""
        run = self._runs.pop(id(plan))
        self._clock.end()
        if message:
            return [Notice(message)]
        return [Notice(run.end_words, "warning" if run.failed else "information")] if run.is_set else []

    @property
    def set_words(self) -> str:
        """How far the runs over several prompts are: 132/480 cells  ~4 min left. Empty where there is none."""
        runs = [run for run in self._runs.values() if run.is_set]
        if not runs:
            return ""
        parts = [f"{sum(run.done for run in runs)}/{sum(run.cells for run in runs)} cells"]
        if failed := sum(run.failed for run in runs):
            parts.append(f"{failed} failed")
        left = [seconds for run in runs if (seconds := run.seconds_left) is not None]
        if len(left) == len(runs):
            parts.append(f"{about(max(left))} left")
        return "  ".join(parts)
