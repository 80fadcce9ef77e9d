"""What a run would cost, before it is begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.engines.memory import needed_bytes
from alignbench.experiments.plan import PlannedCell
from alignbench.experiments.verbalized import drawn
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class ConditionCost:
    """What one condition would cost.

    Attributes:
        cells, samples: that are missing
        most_tokens: if everything that is drawn runs to its limit
        tokens, seconds: as this model's samples in the database went, None where there is none; models run side by side
        memory: bytes that its model takes once it is loaded, None where that is not known
    """

    condition: str
    cells: int
    samples: int
    most_tokens: int
    tokens: int | None
    seconds: float | None
    memory: int | None


def estimate(store: Store | None, cells: Sequence[PlannedCell]) -> list[ConditionCost]:
    """One entry a condition, in order. Without a store there is nothing to tell the pace by."""
    by_condition: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        by_condition.setdefault(cell.condition.name, []).append(cell)
    estimates = []
    for name, there in by_condition.items():
        condition = there[0].condition
        missing = [cell for cell in there if cell.missing]
        samples = sum(len(cell.missing) for cell in missing)
        generations = sum(len(drawn(condition.context, cell.missing)) for cell in missing)
        limit = condition.sampling.max_tokens
        pace = store.pace(condition.model.reference) if store else None
        tokens = None if pace is None else round(generations * min(pace.tokens_per_sample, limit))
        seconds = None if pace is None or tokens is None else tokens / pace.tokens_per_second
        memory = needed_bytes(condition.model) or None
        estimates.append(ConditionCost(name, len(missing), samples, generations * limit, tokens, seconds, memory))
    return estimates
