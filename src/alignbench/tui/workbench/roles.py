"""What each column is to the reference: its ceiling, the floor, another aligned model, or its own greedy answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.reports.roles import Role, role_of
from alignbench.scoring.floor import zero_shot_floor
from alignbench.tui.workbench.column import Column


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns are to the reference.

    Attributes:
        of: The role of each.
        reference, floor: Names of columns, None without one.
        no_floor: Why there is none, else empty.
    """

    of: tuple[Role, ...]
    reference: str | None
    floor: str | None
    no_floor: str


def roles(columns: Sequence[Column], reference: str | None) -> Roles:
    """The floor is the only zero-shot base model's column; see `zero_shot_floor` and `role_of`."""
    conditions = [column.condition for column in columns]
    own = next((condition for condition in conditions if condition.name == reference), None)
    floor = zero_shot_floor(conditions, reference)
    of = tuple(role_of(condition, own, floor.name) for condition in conditions)
    return Roles(of, own.name if own else None, floor.name, floor.reason)
