"""A terminal, or a page, that went away: where no signal says so, Textual reads on, and models stay loaded."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable
from types import FrameType


def in_browser() -> bool:
    """Whether the app is drawn on a page, by a server that begins it (alignbench.serve)."""
    return bool(os.environ.get("TEXTUAL_DRIVER"))


class TerminalWatch:
    """Looks whether the terminal on stdin hung up, or the server of a page; where there is neither, at nothing."""

    def __init__(self) -> None:
        self._poll: select.poll | None = None
        if sys.__stdin__ is not None and (sys.__stdin__.isatty() or in_browser()):
            self._poll = select.poll()
            self._poll.register(sys.__stdin__, 0)  # a hang-up is told without being asked for

    def end_if_gone(self) -> None:
        """End this process as a hang-up does that comes as a signal: what is finished is in the database."""
        if self._poll is not None and any(event & select.POLLHUP for _, event in self._poll.poll(0)):
            os.kill(os.getpid(), signal.SIGHUP)


def mind_bare_stops(redraw: Callable[[], object]) -> None:
    """Have an app that is continued after SIGSTOP, with no Ctrl-Z before it, only redraw.

    Textual would resume what it never suspended: a second thread reads the keys from then on, and leaving waits for one
    that waits for a key. Call it when Textual's own handlers are in place.

    redraw: called from the main thread, between any two of its steps
    """
    suspend, resume = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not (callable(suspend) and callable(resume)):
        return  # there is no terminal
    suspended = False

    def stopped(number: int, frame: FrameType | None) -> None:
        nonlocal suspended
        suspended = True
        suspend(number, frame)

    def continued(number: int, frame: FrameType | None) -> None:
        nonlocal suspended
        if suspended:
            suspended = False
            resume(number, frame)
        else:
            redraw()

    signal.signal(signal.SIGTSTP, stopped)
    signal.signal(signal.SIGCONT, continued)
