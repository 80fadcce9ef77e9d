"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from alignbench.cli import printing
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
MOST_NOTES = 3  # of the samples of a condition that are said while they come; all stand with their samples


class ProgressBar:
    """A bar for each part of the work, on a terminal only; they vanish at the end. A context manager.

    It is a `progress.Progress` too, which adds a bar where it is told of something new.
    """

    def __init__(self, *, narrated: bool = False, of_bytes: bool = False) -> None:
        """narrated: where there is no terminal, a line says when each part begins. of_bytes: bytes are counted."""
        self._console = printing.bars_console()
        self._above = ExitStack()
        self._narrated, self._of_bytes = narrated, of_bytes
        counted: list[ProgressColumn] = [MofNCompleteColumn()]
        if of_bytes:
            counted = [DownloadColumn(), TransferSpeedColumn()]
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *counted,
            TextColumn("{task.fields[rate]}", markup=False),
            TextColumn("{task.fields[failed]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self.is_live,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._lines: dict[str, ProgressLine] = {}

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal to show it on."""
        return self._console.file.isatty()

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Out of the way of another bar."""
        self._end()
        try:
            yield
        finally:
            self._begin()

    def __call__(self, what: str, done: int, total: int, /) -> None:
        if what not in self._lines:
            self._lines[what] = self.add(what, total)
            if self._narrated and not self.is_live:
                self.say(f"{what}: {f'{total / 1e6:,.1f} MB' if self._of_bytes else total}")
        self._lines[what].reach(done, total=total)

    def add(self, what: str, total: int, *, start: bool = True) -> ProgressLine:
        """One more bar. start: its time runs already."""
        return ProgressLine(self._bars, what, total, start=start)

    def say(self, line: str) -> None:
        """A line that stays on the screen."""
        printing.say(line)

    def _begin(self) -> None:
        self._bars.start()
        if self.is_live:
            self._above.enter_context(printing.above(self._console))

    def _end(self) -> None:
        self._bars.stop()
        self._above.close()


class ProgressLine:
    """One bar: how many of how many, at what rate, and how many failed."""

    def __init__(self, bars: Progress, description: str, total: int, *, start: bool) -> None:
        self._bars = bars
        self._task = bars.add_task(visible(description), total=total, start=start, rate="", failed="")
        self._tokens, self._failed = 0, 0
        self._since = time.perf_counter()

    def describe(self, description: str) -> None:
        self._bars.update(self._task, description=visible(description))

    def reach(self, done: int, *, total: int | None = None, failed: int = 0) -> None:
        """So many are done by now, of so many where that is known better by now."""
        self._bars.update(self._task, completed=done, total=total, failed=f"{failed} failed" if failed else "")

    def draw(self, tokens: int) -> None:
        """Some more tokens of samples that are not finished yet."""
        if self._bars.tasks[self._task].start_time is None:
            self._bars.start_task(self._task)
            self._since = time.perf_counter()
        self._tokens += tokens
        elapsed = time.perf_counter() - self._since
        if elapsed >= RATE_SECONDS:
            self._bars.update(self._task, rate=f"{self._tokens / elapsed:.0f} tok/s")
            self._tokens, self._since = 0, time.perf_counter()

    def store(self, *, failed: bool = False) -> None:
        """One more is in the database."""
        self._failed += failed
        self._bars.update(self._task, advance=1, failed=f"{self._failed} failed" if self._failed else "")


class RunProgress:
    """Shows the events of a run: a line for all of it and one a condition, unless they are many.

    bar: has to be entered while the run goes on.
    """

    def __init__(self, plan: Plan) -> None:
        self._cells_left = sum(bool(cell.missing) for cell in plan.cells)
        self.bar = ProgressBar()
        self._all = self.bar.add("loading", plan.n_missing)
        totals: Counter[str] = Counter()
        for cell in plan.cells:
            if cell.missing:
                totals[cell.condition.name] += len(cell.missing)
        shown = totals if 1 < len(totals) <= CONDITIONS_SHOWN else {}
        self._notes: dict[str, set[str]] = {}
        self._conditions = {name: self.bar.add(name, n, start=False) for name, n in shown.items()}

    def show(self, event: RunEvent) -> None:
        """Take an event into account."""
        match event:
            case ModelLoading():
                self._all.describe(
                    " ".join(filter(None, ("loading", event.model, event.stage, f"{event.fraction:.0%}")))
                )
            case ModelLoaded() if event.seconds > 0:
                self.bar.say(f"{event.model}: {event.capabilities.description}, loaded in {event.seconds:.1f} s")
            case CellPreparing():
                self._all.describe(f"preparing {event.cell.condition.name}")
            case CellPrepared():
                for note in event.notes:
                    self.bar.say(f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: {note}")
            case TextArrived():
                self._all.describe("all" if self._conditions else event.cell.condition.name)
                for line in self._lines_of(event.cell):
                    line.draw(event.n_tokens)
            case SampleStored():
                for line in self._lines_of(event.cell):
                    line.store(failed=event.row.status == "error")
                self._say_note(event.cell.condition.name, event.row.note)
            case CellFailed():
                self._cells_left -= 1
            case CellDone() if event.cell.missing and not self.bar.is_live:
                self._cells_left -= 1
                self.bar.say(
                    f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: done, {self._cells_left} to go"
                )

    def _say_note(self, condition: str, note: str | None) -> None:
        """Say what a sample's note says, once for its condition."""
        said = self._notes.setdefault(condition, set())
        if note and note not in said and len(said) < MOST_NOTES:
            said.add(note)
            self.bar.say(f"{condition}: {note}")

    def _lines_of(self, cell: PlannedCell) -> list[ProgressLine]:
        own = self._conditions.get(cell.condition.name)
        return [self._all] if own is None else [self._all, own]
