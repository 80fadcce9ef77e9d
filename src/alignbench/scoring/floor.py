"""The zero-shot floor: the base model with nothing around the prompt, from which recovery is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alignbench.spec import Condition, default_context
from alignbench.store import Store

NOT_GIVEN = "no floor condition was given"


@dataclass(frozen=True, slots=True)
class Floor:
    """Which condition is the floor of recovery."""

    name: str | None
    reason: str = ""  # why there is none


def is_zero_shot_base(condition: Condition) -> bool:
    """A base model in the plain layout with nothing around the prompt. In a chat template it is no floor."""
    return condition.model.kind == "base" and replace(condition.context, name="") == default_context(condition.model)


def zero_shot_floor(conditions: Iterable[Condition], reference: str | None) -> Floor:
    """The only zero-shot base condition. reference: name of a condition, which is no floor of its own."""
    names = [each.name for each in conditions if is_zero_shot_base(each) and each.name != reference]
    if len(names) == 1:
        return Floor(names[0])
    if names:
        return Floor(None, f"no floor: {len(names)} conditions are base models without a context")
    return Floor(None, "no floor: no other condition is a base model in the plain layout without a context")


def session_floor(store: Store, session: int, reference: str | None) -> Floor:
    """The floor that a session's experiment file names, else its only zero-shot base condition."""
    named = store.manifest(session).get("experiment", {}).get("floor")
    return Floor(named) if named else zero_shot_floor(store.conditions(session), reference)
