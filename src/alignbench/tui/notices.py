"""What is to be said to a person: from which thread it comes, and how it stands on the screen as a toast."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region
from textual.notifications import Notification, SeverityLevel
from textual.widgets import Input, TextArea
from textual.widgets._toast import Toast, ToastRack

from alignbench.tui.text import printable

LONGEST = 500  # characters of a toast
MOST = 3  # toasts at a time: an older one goes before its time
TIMES = "  ×"  # between a text and how often it was said


class NoticeHandler(logging.Handler):
    """Hands the warnings of the core on."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """post: called with each line, from any thread; it must not block."""
        super().__init__(logging.WARNING)
        self._post = post

    def emit(self, record: logging.LogRecord) -> None:
        self._post(record.getMessage())


def tell(app: App[Any], message: str, severity: SeverityLevel = "information", timeout: float | None = None) -> None:
    """A toast; its text is data.

    Args:
        app: The app.
        message: The text, cut where it is long.
        severity: Textual's: information, warning or error.
        timeout: Seconds that it stays; the app's without it.
    """
    app.notify(printable(message[:LONGEST]), severity=severity, markup=False, timeout=timeout)


def merge(app: App[Any], new: Notification) -> None:
    """Let a toast take the place of one that says the same, with how often it was said, and of the oldest of many."""
    there = list(app._notifications)
    for old in there:
        said, times, n = old.message.rpartition(TIMES)
        said, count = (said, int(n)) if times and n.isdigit() else (old.message, 1)
        if (said, old.severity) == (new.message, new.severity):
            app._unnotify(old, refresh=False)
            new.message = f"{said}{TIMES}{count + 1}"
    for old in list(app._notifications)[: -(MOST - 1)]:
        app._unnotify(old, refresh=False)


def place(app: App[Any]) -> None:
    """Have the toasts stand at the top of the screen, or at the bottom where they would cover what is typed."""
    try:
        rack = app.screen.get_child_by_type(ToastRack)
    except NoMatches:
        return
    rows = sum(toast.outer_size.height for toast in rack.query(Toast))
    focused, size = app.screen.focused, app.screen.size
    typed = focused.region if isinstance(focused, (Input, TextArea)) else Region()
    hidden = [typed.intersection(Region(0, y, size.width, rows)).height for y in (0, size.height - 1 - rows)]
    rack.set_class(hidden[0] > hidden[1], "-low")
