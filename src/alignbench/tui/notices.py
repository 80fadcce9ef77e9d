"""What the core has to say to a person, whichever thread says it."""

from __future__ import annotations

import logging
from collections.abc import Callable


class NoticeHandler(logging.Handler):
    """Hands the warnings of the core on."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """post: called with each line, from any thread; it must not block."""
        super().__init__(logging.WARNING)
        self._post = post

    def emit(self, record: logging.LogRecord) -> None:
        self._post(record.getMessage())
