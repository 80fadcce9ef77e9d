"""The dial of a column: how much of its model's adapter is added to the base, turned in steps."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from alignbench.errors import InputError
from alignbench.spec import Condition, Model
from alignbench.tui.workbench.column import Column

STEP, LEAST, MOST = 0.25, 0.0, 1.25


def turned(column: Column, by: int) -> Column:
    """The column with its adapter's scale a step up (1) or down (-1), under a name that says so.

    Raises InputError where its model has no adapter, or the dial goes no further.
    """
    from alignbench.models.catalog import at_scale
    from alignbench.models.reference import parted_model

    condition = column.condition
    _, adapter = parted_model(condition.model)
    if adapter is None:
        raise InputError(f"{condition.model.name} has no adapter, so there is no scale to turn: demo-sft has one.")
    model = at_scale(condition.model, next_scale(adapter.scale, by))
    return Column(replace(condition, model=model, name=_name(condition, model)), column.n)


def next_scale(scale: float, by: int) -> float:
    """The next step of the dial above (1) or below (-1) a scale. InputError where there is none."""
    if scale >= MOST if by > 0 else scale <= LEAST:
        raise InputError(f"The scale is {scale:g}; this key turns it {f'up to {MOST:g}' if by > 0 else 'down to 0'}.")
    steps = math.floor(scale / STEP) + 1 if by > 0 else math.ceil(scale / STEP) - 1
    return min(MOST, max(LEAST, steps * STEP))


def _name(condition: Condition, model: Model) -> str:
    """A column that is called after its model goes on to be; another one gets the scale behind its name."""
    before = condition.model.name
    if condition.name.startswith(before):
        rest = condition.name.removeprefix(before)
        return model.name if re.fullmatch(r" \d+", rest) else f"{model.name}{rest}"
    _, _, old = before.partition("*")
    _, star, new = model.name.partition("*")
    return f"{condition.name.removesuffix(f'*{old}') if old else condition.name}{star}{new}"
