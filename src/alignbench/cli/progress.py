"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
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

from alignbench.experiments.plan import Plan
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


class RunProgress:
    """Shows the events of a run. Use it as a context manager."""

    def __init__(self, plan: Plan) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._live = self._console.is_terminal
        self._total = plan.n_missing
        self._cells_left = sum(bool(cell.missing) for cell in plan.cells)
        self._failed = 0
        self._tokens = 0
        self._since = time.perf_counter()
        self._bar = samples_bar(self._console)
        self._task = self._bar.add_task("loading", total=self._total, rate="", failed="")

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
                self._bar.update(self._task, description=f"loading {event.model} {event.fraction:.0%}")
            case ModelLoaded() if event.seconds > 0:
                self.say(f"{event.model}: {event.capabilities.description}, loaded in {event.seconds:.1f} s")
            case CellPreparing():
                self._bar.update(self._task, description=f"preparing {event.cell.condition.name}")
            case CellPrepared():
                for note in event.notes:
                    self.say(f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: {note}")
            case TextArrived():
                self._count(event.n_tokens)
                self._bar.update(self._task, description=event.cell.condition.name)
            case SampleStored():
                self._failed += event.row.status == "error"
                self._bar.update(self._task, advance=1, failed=f"{self._failed} failed" if self._failed else "")
            case CellFailed():
                self._cells_left -= 1
            case CellDone() if event.cell.missing and not self._live:
                self._cells_left -= 1
                self.say(f"{event.cell.condition.name}, prompt {event.cell.prompt.id}: done, {self._cells_left} to go")

    def _count(self, tokens: int) -> None:
        self._tokens += tokens
        elapsed = time.perf_counter() - self._since
        if elapsed >= RATE_SECONDS:
            self._bar.update(self._task, rate=f"{self._tokens / elapsed:.0f} tok/s")
            self._tokens, self._since = 0, time.perf_counter()
