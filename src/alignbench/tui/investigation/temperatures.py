"""The columns of the Bench at other temperatures."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.errors import InputError
from alignbench.reports.frontier import at_temperature
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import Bench


def rungs(bench: Bench, temperatures: Sequence[float]) -> list[Column]:
    """Every column that can be sampled, at each temperature; the names are taken from now on. One that is on the Bench
    or was sampled before is itself again."""
    columns = {}
    for column in bench.columns:
        for temperature in temperatures if not column.condition.model.is_imported else ():
            condition = bench.settle(at_temperature(column.condition, temperature))
            bench.used[condition.name] = condition
            rung = Column(condition, column.n)
            columns[rung.hash] = rung
    return [*columns.values()]


async def sample_ladder(workbench: Workbench, temperatures: Sequence[float]) -> str:
    """Draw the samples of every column at these temperatures too, on all prompts of the session; what there is to say.

    The conditions stand beside those of the columns in the session, not on the Bench.
    """
    bench = workbench.bench
    columns, prompts = rungs(bench, temperatures), bench.asked or [bench.prompt]
    if not columns:
        raise InputError("No column here can be sampled: all responses were imported.")
    if any(bench.cell(column, prompt).busy for column in columns for prompt in prompts):
        return "Columns are being sampled already; Esc on the Bench stops them."
    terms = await workbench.draw(columns, prompts)
    return terms if terms is not None else "Every column has its samples at these temperatures."


def progress(bench: Bench) -> tuple[int, int]:
    """Samples of the runs that go on for conditions that are not on the Bench: how many are done, and of how many."""
    there = {column.hash for column in bench.columns}
    running = [cell.plan for (_, condition), cell in bench.cells.items() if cell.busy and condition not in there]
    cells = [cell for cell in bench.cells.values() if any(cell.plan is plan for plan in running)]
    return sum(cell.done for cell in cells), sum(len(cell.samples) for cell in cells)
