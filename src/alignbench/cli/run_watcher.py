"""Watching a run from the command line: progress on stderr, what a signal does, and the exit code."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from alignbench.api.sampling import SamplingRun
from alignbench.cli.progress import RunProgress
from alignbench.experiments.runner import CellFailed, Run, SampleStored
from alignbench.experiments.staged import StagedRun
from alignbench.store import SampleRow


@dataclass
class RunOutcome:
    """What was stored."""

    done: int = 0  # samples
    failed: int = 0  # cells
    interrupted: bool = False  # by a signal

    @property
    def exit_code(self) -> int:
        """0 all done, 3 some cells failed, 1 all of them, 130 interrupted."""
        if self.interrupted:
            return 130
        if self.failed:
            return 3 if self.done else 1
        return 0


def follow(
    run: Run | StagedRun | SamplingRun, outcome: RunOutcome, *, finish_first: bool = False
) -> Iterator[SampleRow]:
    """Run to the end with a progress bar where stderr is a terminal; the samples as they are stored.

    Ctrl-C cancels what runs: finished samples are in the database, those in flight are stored as cancelled. With
    finish_first, the first Ctrl-C lets the cells that run come to their end and begins no other; the second cancels.
    SIGTERM and SIGHUP (a line that dropped) cancel at once.
    """
    progress = RunProgress(run.plan)

    def finish() -> None:
        progress.bar.say("finishing the samples in flight; Ctrl-C again cancels them")
        run.finish()

    failures: Counter[tuple[str, str]] = Counter()
    with progress.bar, signals(outcome, run.cancel, finish if finish_first else None):
        for event in run:
            if isinstance(event, CellFailed):
                outcome.failed += 1
                name = event.cell.condition.name
                failures[name, event.message] += 1
                if failures[name, event.message] == 1:  # a model that cannot be loaded fails all its cells alike
                    progress.bar.say(f"{name}, prompt {event.cell.prompt.id}: {event.message}")
            if not outcome.interrupted or isinstance(event, SampleStored):
                progress.show(event)
            if isinstance(event, SampleStored):
                outcome.done += event.row.status == "done"
                yield event.row
        for (name, _), n in failures.items():
            if n > 1:
                progress.bar.say(f"{name}: {n - 1} more prompts failed in the same way")


@contextmanager
def signals(
    outcome: RunOutcome, cancel: Callable[[], None], finish: Callable[[], None] | None = None
) -> Iterator[None]:
    """Cancel on SIGINT, SIGTERM and SIGHUP; a second Ctrl-C is an ordinary one. finish: what the first Ctrl-C does in
    place of cancelling, which then is the second's."""

    def stop(number: int, _: FrameType | None) -> None:
        again, outcome.interrupted = outcome.interrupted, True
        step = cancel if finish is None or again or number != signal.SIGINT else finish
        if step is cancel:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not here: this handler may have interrupted the very code that holds the locks that cancelling takes.
        threading.Thread(target=step, daemon=True).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
