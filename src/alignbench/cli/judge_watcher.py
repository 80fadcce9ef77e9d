"""Watching a judge from the command line: progress on stderr, and what a signal does."""

from __future__ import annotations

from alignbench.cli.progress import ProgressBar
from alignbench.cli.run_watcher import RunOutcome, signals
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
        least, self._total = run.plan.requests
        self._done, self._adaptive = 0, run.plan.classes is not None
        self._notes: set[str] = set()
        self.bar = ProgressBar()
        self._items = self.bar.add(f"loading {self._name}", self._total)
        if run.plan.classes is not None:
            if self._total:
                said = str(least) if least == self._total else f"{least} to {self._total}"
                self._say(f"{said} requests, of {run.plan.n} pairs: a response is compared with one of each answer")
        elif self._total < run.plan.n:
            self._say(f"{run.plan.n - self._total} of {run.plan.n} are judged already")

    def take(self, event: JudgeEvent) -> None:
        match event:
            case JudgeLoading():
                self._items.describe(f"loading {self._name} {event.fraction:.0%}")
            case JudgeLoaded():
                self._items.describe(f"{self._name} judges")
                self._say(f"{self._name}: {event.capabilities.description}, loaded in {event.seconds:.1f} s")
            case Judged():
                if event.note and event.note not in self._notes:
                    self._notes.add(event.note)
                    self._say(f"{self._name}: {event.note}")
                if event.judgment.status == "invalid":
                    self._say(f"{_where(event.item)}: no valid reply: {event.judgment.reason}")
                self._count()
            case JudgeFailed():
                self._say(f"{_where(event.item)}: {event.message}")
                self._count()

    def _count(self) -> None:
        self._done += 1
        self._items.store()
        if not self.bar.is_live and self._done * STEPS // self._total > (self._done - 1) * STEPS // self._total:
            most = "at most " if self._adaptive else ""
            self._say(f"{self._done} of {most}{self._total} judged")

    def _say(self, line: str) -> None:
        self.bar.say(line)


def _where(item: JudgeItem) -> str:
    return f"{item.condition}, prompt {item.prompt_id}, sample {item.sample}"
