"""The first line of the Bench: which session, which prompt of which set, and what the machine is doing."""

from __future__ import annotations

from textual.content import Content

from alignbench.prompt_files.source import set_path_of
from alignbench.tui.clickable import clickable
from alignbench.tui.styled import DIM
from alignbench.tui.text import cells, clock, count, one_line
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import Bench


def place(bench: Bench) -> str:
    """Where the prompt stands: its set and its number in it."""
    if (position := bench.position) is None:
        return "own prompt"
    return f"{set_path_of(bench.prompt_set).stem} {position + 1}/{len(bench.prompts)}"


def machine_state(workbench: Workbench) -> str:
    """Models, speed and time; how far it is, while a set is sampled."""
    bench = workbench.bench
    cells = bench.cells.values()
    loading = {cell.model for cell in cells if cell.status == "loading"}
    ready = {column.condition.model.name for column in bench.columns} & workbench.loaded
    if loading:
        parts = [f"{count(len(loading), 'model')} loading"]
    else:
        parts = [f"{count(len(ready), 'model')} ready"] if ready else []
    if set_state := workbench.set_state:
        parts = [*(parts if loading else ()), set_state]
    if rate := sum(cell.rate.per_second() for cell in cells if cell.status == "sampling"):
        parts.append(f"{rate:.0f} tok/s")
    if workbench.seconds and not set_state:
        parts.append(clock(workbench.seconds))
    return "   ".join(parts)


class TitleBar(SteadyText):
    """One line. A click on the session opens sessions, one on the set prompts."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._parts = ("", "", "")

    def show(self, workbench: Workbench) -> None:
        """Session, prompt and machine, as they are now."""
        bench = workbench.bench
        self._parts = (bench.name, place(bench), machine_state(workbench))
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        session, place, state = self._parts
        width = max(20, self.size.width)
        place = one_line(place, 28)
        right = "   ".join(part for part in (place, state) if part)
        room = width - cells(right) - 15
        name = one_line(session or "new session", max(4, room)) if room > 6 else ""
        left = Content.assemble((" alignbench ", "bold"), "  ", clickable(name, "sessions", "" if session else DIM))
        gap = max(1, width - left.cell_length - cells(right) - 1)
        there = clickable(place, "prompts", DIM)
        self.update(Content.assemble(left, " " * gap, there, (right[len(place) :], DIM), " "), layout=False)
