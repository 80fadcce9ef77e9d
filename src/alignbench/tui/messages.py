"""What a screen asks the app for: another screen. Which class that is, only the app knows."""

from __future__ import annotations

from typing import Literal

from textual.message import Message

ScreenName = Literal[
    "audit",
    "examples",
    "hint",
    "investigation",
    "ledger",
    "notes",
    "scores",
    "sessions",
    "survey",
    "versions",
    "viewer",
]


class Open(Message):
    """Open a screen on what is selected on the Bench, and do what comes of it."""

    def __init__(self, screen: ScreenName, sample: int | None = None) -> None:
        """sample: the response of the reference that the ledger begins with."""
        super().__init__()
        self.screen = screen
        self.sample = sample
