"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from alignbench.display import visible
from alignbench.experiments.plan import Plan, PlannedCell
from alignbench.experiments.runner import (
    CellDone,
    CellFailed,
    CellPrepared,
    CellPreparing,
    ModelLoaded,
    ModelLoading,
    RunEvent,
    SampleStored,
    TextArrived,
)

RATE_SECONDS = 2.0
CONDITIONS_SHOWN = 12  # at most, each on a line


def samples_bar(console: Console) -> Progress:
    """A bar of samples that vanishes at the end, with fields for a rate and for failures; nothing but on a terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TextColumn("{task.fields[failed]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


class _ProgressLine:
    """A line of the display: how many samples of how many, at what rate, and how many failed."""

    def __init__(self, bar: Progress, description: str, total: int, *, start: bool) -> None:
        self._bar = bar
        self._task = bar.add_task(description, total=total, start=start, rate="", failed="")
        self._tokens, self._failed = 0, 0
        self._since = time.perf_counter()

    def describe(self, description: str) -> None:
        self._bar.update(self._task, description=description)

    def draw(self, tokens: int) -> None:
        """Some more tokens of samples that are not finished yet."""
        if self._bar.tasks[self._task].start_time is None:
            self._bar.start_task(self._task)
            self._since = time.perf_counter()
        self._tokens += tokens
        elapsed = time.perf_counter() - self._since
        if elapsed >= RATE_SECONDS:
            self._bar.update(self._task, rate=f"{self._tokens / elapsed:.0f} tok/s")
            self._tokens, self._since = 0, time.perf_counter()

    def store(self, *, failed: bool) -> None:
        """One more sample is in the database."""
        self._failed += failed
        self._bar.update(self._task, advance=1, failed=f"{self._failed} failed" if self._failed else "")


class RunProgress:
    """Shows the events of a run: a line for all of it and one a condition, unless they are many. A context manager."""

    def __init__(self, plan: Plan) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._live = self._console.is_terminal
        self._cells_left = sum(bool(cell.missing) for cell in plan.cells)
        self._bar = samples_bar(self._console)
        self._all = _ProgressLine(self._bar, "loading", plan.n_missing, start=True)
        totals: Counter[str] = Counter()
        for cell in plan.cells:
            if cell.missing:
                totals[cell.condition.name] += len(cell.missing)
        shown = totals if 1 < len(totals) <= CONDITIONS_SHOWN else {}
        self._rows = {name: _ProgressLine(self._bar, visible(name), n, start=False) for name, n in shown.items()}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A line that stays on the screen."""
        if self._live:
            self._bar.console.print(Text(line))
        else:
            print(line, file=sys.stderr, flush=True)

    def show(self, event: RunEvent) -> None:
        """Take an event into account."""
        match event:
            case ModelLoading():
                self._all.describe(f"loading {event.model} {event.fraction:.0%}")
            case ModelLoaded() if event.seconds > 0:
                self.say(f"{event.model}: {event.capabilities.description}, loaded in {event.seconds:.1f} s")
            case CellPreparing():
                self._all.describe(f"preparing {event.cell.condition.name}")
            case CellPrepared():
                for note in event.notes:
                    self.say(f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: {note}")
            case TextArrived():
                self._all.describe("all" if self._rows else event.cell.condition.name)
                for row in self._rows_of(event.cell):
                    row.draw(event.n_tokens)
            case SampleStored():
                for row in self._rows_of(event.cell):
                    row.store(failed=event.row.status == "error")
            case CellFailed():
                self._cells_left -= 1
            case CellDone() if event.cell.missing and not self._live:
                self._cells_left -= 1
                self.say(f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: done, {self._cells_left} to go")

    def _rows_of(self, cell: PlannedCell) -> list[_ProgressLine]:
        own = self._rows.get(cell.condition.name)
        return [self._all] if own is None else [self._all, own]
