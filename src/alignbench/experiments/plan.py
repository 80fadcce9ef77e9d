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


def preview(
    store: Store | None,
    session: int | None,
    prompts: Sequence[Prompt],
    conditions: Sequence[Condition],
    n: int,
    *,
    retry_errors: bool = True,
) -> list[Cell]:
    """The cells that `make_plan` would find, with nothing registered; a cell that is not there yet has the id 0."""
    cells = []
    for condition in conditions:
        for prompt in prompts:
            known = store.find_cell(session, prompt, condition) if store and session else None
            there = store.done_samples(known.id, errors=not retry_errors) if store and known else set()
            missing = tuple(i for i in range(n) if i not in there)
            cells.append(Cell(known.id if known else 0, prompt, condition, n, missing))
    return cells


def make_plan(
    store: Store,
    session: int,
    prompts: Sequence[Prompt],
    conditions: Sequence[Condition],
    n: int,
    *,
    retry_errors: bool = True,
) -> Plan:
    """Register prompts, conditions and cells in the store, in one commit, and find what is missing.

    A sample that is done is never drawn again; cancelled samples are, and errors where they are to be retried. Cells
    are ordered by condition, then prompt, so that those that share a context run one after the other.
    """
    cells = []
    with store.together():
        for condition in conditions:
            for prompt in prompts:
                cell_id = store.add_cell(session, prompt, condition, n)
                there = store.done_samples(cell_id, errors=not retry_errors)
                cells.append(Cell(cell_id, prompt, condition, n, tuple(i for i in range(n) if i not in there)))
    return Plan(session, tuple(cells))
