"""Two sessions beside each other."""

from __future__ import annotations

from alignbench.reports.plain import plain_table
from alignbench.session_diff import SessionDiff
from alignbench.tui.dialogs.text import TextScreen


class ComparisonScreen(TextScreen):
    """Which prompts, conditions and settings differ, and which texts are the same."""

    HELP = "Prompts go by their text, conditions by their settings and then by their names."

    def __init__(self, diff: SessionDiff) -> None:
        super().__init__("Sessions {} and {}".format(*diff.sessions))
        self._diff = diff

    def text(self, width: int) -> str:
        return plain_table(self._diff.columns, self._diff.rows, width)
