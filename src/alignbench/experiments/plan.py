"""From prompts x conditions x n to the cells that still need samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.spec import Condition, Prompt
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class Cell:
    """One prompt under one condition in a session. `missing`: the sample indices that are not done yet."""

    id: int  # row of the `cells` table
    prompt: Prompt
    condition: Condition
    n: int
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    session: int
    cells: tuple[Cell, ...]

    @property
    def n_missing(self) -> int:
        """Samples that a run of this plan would draw."""
        return sum(len(cell.missing) for cell in self.cells)


def make_plan(store: Store, session: int, prompts: Sequence[Prompt], conditions: Sequence[Condition], n: int) -> Plan:
    """Register prompts, conditions and cells in the store and find what is missing.

    A sample that is done is never drawn again; errors and cancelled samples are. Cells are ordered by condition, then
    prompt, so that those that share a context run one after the other.
    """
    cells = []
    for condition in conditions:
        for prompt in prompts:
            cell_id = store.add_cell(session, prompt, condition, n)
            done = store.done_samples(cell_id)
            cells.append(Cell(cell_id, prompt, condition, n, tuple(i for i in range(n) if i not in done)))
    return Plan(session, tuple(cells))
