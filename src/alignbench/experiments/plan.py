"""From prompts x conditions x n to the cells that still need samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alignbench.spec import Condition, Prompt
from alignbench.store import Store, StoredCell

_NEW = StoredCell(0, 0, frozenset())


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
    hashed = [(prompt.hash, prompt) for prompt in prompts]
    for condition in conditions:
        known = store.stored_cells(session, condition, errors=not retry_errors) if store and session else {}
        cells += [_cell(known.get(key, _NEW), prompt, condition, n) for key, prompt in hashed]
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
    hashed = [(prompt.hash, prompt) for prompt in prompts]
    with store.together():
        for condition in conditions:
            known = store.stored_cells(session, condition, errors=not retry_errors)
            for i, (key, prompt) in enumerate(hashed):
                cell = known.get(key, _NEW)
                if i == 0 or cell is _NEW or cell.n < n:  # the first one also says whether the condition's name is free
                    cell = replace(cell, id=store.add_cell(session, prompt, condition, n))
                cells.append(_cell(cell, prompt, condition, n))
    return Plan(session, tuple(cells))


def _cell(stored: StoredCell, prompt: Prompt, condition: Condition, n: int) -> Cell:
    return Cell(stored.id, prompt, condition, n, tuple(sorted(set(range(n)) - stored.there)))
