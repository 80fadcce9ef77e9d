"""What a run would cost, before it is begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alignbench.engines.memory import needed_bytes
from alignbench.experiments.plan import PlannedCell
from alignbench.experiments.verbalized import drawn
from alignbench.models.reference import parted_model
from alignbench.spec import Condition
from alignbench.store import Pace, Store

Paces = Mapping[str, Pace | None]  # by reference of a model; None where it has no sample in the database yet


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


def measured_paces(store: Store | None, conditions: Iterable[Condition]) -> Paces:
    """How fast the models of some conditions were, in all sessions. Without a store there is nothing to tell it by."""
    references = {condition.model.reference for condition in conditions}
    return {reference: store.pace(reference) if store else None for reference in references}


def estimate(store: Store | None, cells: Sequence[PlannedCell]) -> list[ConditionCost]:
    """One entry a condition, in order."""
    by_condition: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        by_condition.setdefault(cell.condition.name, []).append(cell)
    paces = measured_paces(store, (cell.condition for cell in cells))
    estimates = []
    for name, there in by_condition.items():
        condition = there[0].condition
        missing = [cell for cell in there if cell.missing]
        samples = sum(len(cell.missing) for cell in missing)
        generations = _generations(missing)
        limit = condition.sampling.max_tokens
        pace = paces[condition.model.reference]
        tokens = None if pace is None else round(_tokens(condition, generations, pace))
        seconds = None if pace is None or tokens is None else tokens / pace.tokens_per_second
        memory = needed_bytes(condition.model) or None
        estimates.append(ConditionCost(name, len(missing), samples, generations * limit, tokens, seconds, memory))
    return estimates


def run_seconds(cells: Iterable[PlannedCell], paces: Paces) -> float | None:
    """How long a run of these cells takes, with its models side by side; None where one of them has no pace yet.

    Models that are one base with different adapters share its weights, and take turns.
    """
    of_bases: dict[str, float] = {}
    for cell in cells:
        if not cell.missing:
            continue
        reference = cell.condition.model.reference
        if (pace := paces[reference]) is None:
            return None
        tokens = _tokens(cell.condition, _generations([cell]), pace)
        base = parted_model(cell.condition.model)[0].reference
        of_bases[base] = of_bases.get(base, 0.0) + tokens / pace.tokens_per_second
    return max(of_bases.values(), default=0.0)


def _generations(cells: Iterable[PlannedCell]) -> int:
    return sum(len(drawn(cell.condition.context, cell.missing)) for cell in cells)


def _tokens(condition: Condition, generations: int, pace: Pace) -> float:
    """As its model's samples went, none longer than it may be."""
    return generations * min(pace.tokens_per_sample, condition.sampling.max_tokens)
