"""What a condition is to the reference: its ceiling, the floor, another aligned model, or its own greedy answer."""

from __future__ import annotations

from typing import Literal

from alignbench.models.reference import parted_model
from alignbench.spec import Condition

Role = Literal["ceiling", "floor", "greedy", "impostor", ""]


def role_of(condition: Condition, reference: Condition | None, floor: str | None) -> Role:
    """An impostor is an aligned model that is not the reference's; greedy is the reference at temperature 0.

    Another adapter of the reference's base, or the same one at another scale, is no impostor: it comes from the same
    weights, and often from the same data.

    floor: name of a condition, None without one.
    """
    if reference is None:
        return ""
    if condition.name == reference.name:
        return "ceiling"
    if condition.name == floor:
        return "floor"
    if _weights(condition) == _weights(reference):
        greedy = condition.settings["temperature"] == 0 != reference.settings["temperature"]
        return "greedy" if greedy and condition.context.hash == reference.context.hash else ""
    return "impostor" if condition.model.kind == "aligned" and not _of_one_base(condition, reference) else ""


def _of_one_base(condition: Condition, reference: Condition) -> bool:
    (base, adapter), (other_base, other_adapter) = parted_model(condition.model), parted_model(reference.model)
    return (adapter or other_adapter) is not None and base.reference == other_base.reference


def _weights(condition: Condition) -> str:
    """What was sampled; the release has the greedy answers of a model as a model of their own."""
    model = condition.model
    return model.reference.removesuffix("@temp0") if model.is_imported else model.reference
