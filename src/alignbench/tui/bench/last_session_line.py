"""The line on a new Bench that offers to go on where one left off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from alignbench.tui.styled import DIM
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from alignbench.store import LastSession


class LastSessionLine(SteadyText):
    """One line, gone as soon as a session is open."""

    DEFAULT_CSS = "LastSessionLine { height: 1; display: none; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._last: LastSession | None = None

    def show(self, last: LastSession | None) -> None:
        """The session that C continues; None where there is none."""
        if last == self._last:
            return
        self._last, self.display = last, last is not None
        if last is not None:
            more = f"; F8 has {last.others} more" if last.others else ""
            about = f"  {count(last.info.n_samples, 'sample')}{more}"
            self.update(Content.assemble((" C continues ", DIM), one_line(last.info.name, 80), (about, DIM)))
