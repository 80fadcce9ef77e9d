"""Watching a judge from the command line: progress on stderr, and what a signal does."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from alignbench.cli.run_watcher import RunOutcome, signals
from alignbench.display import visible
from alignbench.judging.plan import JudgeItem
from alignbench.judging.runner import Judged, JudgeEvent, JudgeFailed, JudgeLoaded, JudgeLoading, JudgeRun

STEPS = 10  # lines of progress where there is no terminal


def follow_judge(run: JudgeRun, outcome: RunOutcome) -> None:
    """Judge to the end; what fails or stays invalid gets a line. Ctrl-C keeps the judgments that are there.

    Counts the judgments and the items that failed; the invalid ones are judgments too.
    """
    shown = _JudgeProgress(run)
    with shown.bar, signals(outcome, run.cancel):
        for event in run:
            shown.take(event)
            outcome.done += isinstance(event, Judged)
            outcome.failed += isinstance(event, JudgeFailed)


class _JudgeProgress:
    """A bar on a terminal, plain lines elsewhere."""

    def __init__(self, run: JudgeRun) -> None:
        self._name = run.plan.judge.name
        self._total, self._done = len(run.plan.items), 0
        console = Console(stderr=True, markup=False, highlight=False)
        self._live = console.is_terminal
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
            transient=True,
        )
        self._task = self.bar.add_task(f"loading {self._name}", total=self._total)
        if self._total < run.plan.n:
            self._say(f"{run.plan.n - self._total} of {run.plan.n} are judged already")

    def take(self, event: JudgeEvent) -> None:
        match event:
            case JudgeLoading():
                self.bar.update(self._task, description=f"loading {self._name} {event.fraction:.0%}")
            case JudgeLoaded():
                self.bar.update(self._task, description=f"{self._name} judges")
                self._say(f"{self._name}: {event.capabilities.description}, loaded in {event.seconds:.1f} s")
            case Judged():
                if event.judgment.status == "invalid":
                    self._say(f"{_where(event.item)}: no valid reply: {event.judgment.reason}")
                self._count()
            case JudgeFailed():
                self._say(f"{_where(event.item)}: {event.message}")
                self._count()

    def _count(self) -> None:
        self._done += 1
        self.bar.advance(self._task)
        if not self._live and self._done * STEPS // self._total > (self._done - 1) * STEPS // self._total:
            self._say(f"{self._done} of {self._total} judged")

    def _say(self, line: str) -> None:
        if self._live:
            self.bar.console.print(Text(visible(line)))
        else:
            print(visible(line), file=sys.stderr, flush=True)


def _where(item: JudgeItem) -> str:
    return f"{item.condition}, prompt {item.prompt_id}, sample {item.sample}"
