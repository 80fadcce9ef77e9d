"""From prompts x conditions x n to the cells that still need samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from alignbench.spec import Condition, Prompt
from alignbench.store import Store, StoredCell

_NEW = StoredCell(0, 0, frozenset())


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One prompt under one condition in a session. `missing`: the sample indices that are not done yet."""

    id: int  # row of the `cells` table
    prompt: Prompt
    condition: Condition
    n: int
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    session: int
    cells: tuple[PlannedCell, ...]

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
) -> list[PlannedCell]:
    """The cells that `make_plan` would find, with nothing registered; a cell that is not there yet has the id 0."""
    if not (store and session):
        return [_cell(_NEW, prompt, condition, n) for condition in conditions for prompt in prompts]
    cells = []
    keys = store.prompt_keys(session, prompts)
    for condition in conditions:
        known = store.stored_cells(session, condition, errors=not retry_errors)
        cells += [_cell(known.get(key, _NEW), prompt, condition, n) for key, prompt in zip(keys, prompts, strict=True)]
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

    Args:
        store: has the session
        session: that the samples belong to
        prompts: to be sampled under each condition, no two of which are one; see `prompts.each_once`
        conditions: to sample
        n: samples of each cell
        retry_errors: whether samples that failed count as missing
    """
    cells = []
    with store.together(), store.naming(session):
        keys = store.prompt_keys(session, prompts)
        for condition in conditions:
            known = store.stored_cells(session, condition, errors=not retry_errors)
            cells_of = [known.get(key, _NEW) for key in keys]
            new = [i for i, cell in enumerate(cells_of) if i == 0 or cell is _NEW or cell.n < n]
            # The first one is always added: that says whether the condition's name is free.
            for i, id in zip(new, store.add_cells(session, [prompts[i] for i in new], condition, n), strict=True):
                cells_of[i] = replace(cells_of[i], id=id)
            cells += [_cell(cell, prompt, condition, n) for cell, prompt in zip(cells_of, prompts, strict=True)]
    return Plan(session, tuple(cells))


def _cell(stored: StoredCell, prompt: Prompt, condition: Condition, n: int) -> PlannedCell:
    return PlannedCell(stored.id, prompt, condition, n, _missing(stored.there, n))


@lru_cache(maxsize=1024)
def _missing(there: frozenset[int], n: int) -> tuple[int, ...]:
    """One tuple for all cells that lack the same samples: there may be a million of them."""
    return tuple(i for i in range(n) if i not in there)
