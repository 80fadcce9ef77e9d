"""Which columns are in sight where not all of them fit: the reference stays on the left, the others pass by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnWindow:
    """Places of columns, from left to right.

    Attributes:
        order: All of them, as they pass by.
        shown: Those in sight.
        before: Hidden ones that come earlier.
        after: Hidden ones that come later.
        moving: Of the ones in sight, those that give way to others.
    """

    order: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    moving: tuple[int, ...] = ()


def window(count: int, room: int, *, selected: int, reference: int | None, before: int = 0) -> ColumnWindow:
    """The columns in sight, the selected one always among them.

    Args:
        count: How many there are.
        room: How many fit beside one another, at least one.
        selected: Place of the selected one.
        reference: Place of the reference, None where no column is it.
        before: How many were hidden on the left before; it moves no further than it must.
    """
    if count <= room:
        return ColumnWindow(tuple(range(count)), tuple(range(count)))
    pinned = () if reference is None or room == 1 else (reference,)
    others = [at for at in range(count) if at not in pinned]
    slots = room - len(pinned)
    first = before
    if selected not in pinned:
        at = others.index(selected)
        first = max(at - slots + 1, min(at, first))
    first = max(0, min(first, len(others) - slots))
    moving = tuple(others[first : first + slots])
    return ColumnWindow(
        order=(*pinned, *others),
        shown=pinned + moving,
        before=tuple(others[:first]),
        after=tuple(others[first + slots :]),
        moving=moving,
    )
