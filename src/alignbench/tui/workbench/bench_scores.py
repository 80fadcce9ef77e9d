"""The scores of the session that is open, as far as its samples and their embeddings have come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from alignbench.tui.workbench.score_summary import score_table

if TYPE_CHECKING:
    from alignbench.scoring.live import LiveScores
    from alignbench.store import SampleRow
    from alignbench.tui.workbench.backends import Backends
    from alignbench.tui.workbench.column import Column
    from alignbench.tui.workbench.comparison_values import ReferenceComparison, ScoreTable
    from alignbench.tui.workbench.state import Bench


class BenchScores:
    """Counts samples in, from any thread, and gives the scores of the prompt on the screen.

    Attributes:
        version: Grows with every score that moved.
    """

    def __init__(self, backends: Backends, notify: Callable[[], None]) -> None:
        """notify: called from any thread when scores have moved; it must not block."""
        self.version = 0
        self._backends = backends
        self._notify = notify
        self._live: LiveScores | None = None
        self._lock = threading.Lock()
        self._moved = False

    def add(self, row: SampleRow) -> None:
        """Count a sample in."""
        with self._lock:
            if self._live is None:
                from alignbench.scoring.live import LiveScores

                self._live = LiveScores(self._backends.db, self._backends.embed, self._scored)
            live = self._live
        live.add(row)

    def add_all(self, rows: Iterable[SampleRow]) -> None:
        """Count in those that are finished, in this order."""
        for row in rows:
            if row.status == "done":
                self.add(row)

    def _scored(self) -> None:
        """Called from any thread."""
        self._moved = True
        self.version += 1
        self._notify()

    def moved(self) -> bool:
        """Whether scores moved since the last call."""
        moved, self._moved = self._moved, False
        return moved

    def table(self, bench: Bench) -> ScoreTable:
        """The scores of the prompt on the screen, as far as they are known."""
        from alignbench.tui.workbench.comparison import comparisons

        return replace(score_table(bench, self._live), comparisons=comparisons(bench, self._live))

    def comparison(self, bench: Bench, column: Column, version: int) -> ReferenceComparison:
        """How one version of a column compares with the reference."""
        from alignbench.tui.workbench.comparison import comparison_of

        return comparison_of(bench, self._live, column, version)

    def forget(self) -> None:
        """Begin with nothing again."""
        with self._lock:
            live, self._live = self._live, None
        if live is not None:
            live.close()
