"""What each column is to the reference: its ceiling, the floor, another aligned model, or its own greedy answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.reports.roles import Role, role_of
from alignbench.spec import Condition
from alignbench.tui.workbench.state import Column


@dataclass(frozen=True, slots=True)
class Roles:
    """of: the role of each column. reference, floor: names of columns, None without one; no_floor says why."""

    of: tuple[Role, ...]
    reference: str | None
    floor: str | None
    no_floor: str


def roles(columns: Sequence[Column], reference: str | None) -> Roles:
    """The floor is the only base model's column without a context; see `role_of`."""
    own = next((column.condition for column in columns if column.name == reference), None)
    lowest = [column.name for column in columns if _zero_shot_base(column.condition) and column.name != reference]
    floor = lowest[0] if len(lowest) == 1 else None
    found = tuple(role_of(column.condition, own, floor) for column in columns)
    return Roles(found, own.name if own else None, floor, "" if floor else _no_floor(len(lowest)))


def _zero_shot_base(condition: Condition) -> bool:
    return condition.model.kind == "base" and condition.context.zero_shot


def _no_floor(candidates: int) -> str:
    if candidates:
        return f"no floor: {candidates} columns are base models without a context"
    return "no floor: no other column is a base model without a context"
