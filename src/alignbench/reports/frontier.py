"""Diversity against quality or similarity over a ladder of temperatures: equal temperatures are not equal entropies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alignbench.errors import InputError
from alignbench.judging.qualities import Qualities
from alignbench.metrics.statistics import Bootstrap
from alignbench.reports.estimates import mean_entry
from alignbench.scoring.aggregate import Tables
from alignbench.spec import Condition

DIVERSITY = ("jaccard", "embedding_diversity")
SIMILARITY = ("jaccard", "embedding_similarity")


def parse_temperatures(text: str) -> tuple[float, ...]:
    """Numbers with commas between, 0 or more, each once, in order. InputError for anything else."""
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if len(found) < 2 or not all(0 <= temperature <= 100 for temperature in found):
        raise InputError(f"temperatures {text!r}: expected two numbers or more, such as 0.3,0.5,0.7,1.0.")
    return tuple(found)


def frontier_table(
    conditions: Sequence[Condition],
    temperatures: Sequence[float],
    tables: Tables,
    qualities: Qualities,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """{"temperatures", "points", "missing"}: the conditions that differ in their temperature only, group by group.

    A point has `condition`, `group` (its first condition), `temperature`, `surprisal`, `diversity` and `similarity` by
    metric, as in the tables, and `quality`, the mean judged quality. What the session lacks is in `missing`, with `how`
    to sample it. A group with none of the temperatures has no part.
    """
    points, missing = [], []
    for members in _groups(conditions):
        by_temperature = {member.sampling.temperature: member for member in members}
        if not by_temperature.keys() & {*temperatures}:
            continue
        name = members[0].name
        for temperature in temperatures:
            member = by_temperature.get(temperature)
            if member is None:
                missing.append({"group": name, "temperature": temperature, "how": _how(members[0], temperature)})
            else:
                points.append(_point(member, name, tables, qualities, bootstrap))
    return {"temperatures": list(temperatures), "points": points, "missing": missing}


def ladder(conditions: Sequence[Condition]) -> tuple[list[Condition], tuple[float, ...]]:
    """Those of the conditions that have another one beside them which differs in its temperature alone, and all their
    temperatures in order."""
    found = [member for members in _groups(conditions) if len(members) > 1 for member in members]
    return found, tuple(sorted({condition.sampling.temperature for condition in found}))


def at_temperature(condition: Condition, temperature: float) -> Condition:
    """The same at another temperature, under the name that a frontier gives it."""
    return replace(
        condition,
        name=f"{condition.name}@temp{temperature:g}",
        sampling=replace(condition.sampling, temperature=temperature),
    )


def _groups(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Conditions that differ in their temperature only stand together."""
    groups: dict[Condition, list[Condition]] = {}
    for condition in conditions:
        groups.setdefault(_without_temperature(condition), []).append(condition)
    return [*groups.values()]


def _without_temperature(condition: Condition) -> Condition:
    sampling = replace(condition.sampling, temperature=0.0)
    return replace(condition, name="", model=replace(condition.model, name=""), sampling=sampling)


def _point(
    condition: Condition, group: str, tables: Tables, qualities: Qualities, bootstrap: Bootstrap
) -> dict[str, Any]:
    within, cross = tables["within"][condition.name], tables["cross"].get(condition.name, {})
    by_prompt: dict[str, list[float]] = {}
    for (name, prompt, _), quality in qualities.of.items():
        if name == condition.name:
            by_prompt.setdefault(prompt, []).append(quality)
    column: Mapping[str, float | None] = {prompt: sum(q) / len(q) for prompt, q in by_prompt.items()}
    return {
        "condition": condition.name,
        "group": group,
        "temperature": condition.sampling.temperature,
        "surprisal": _short(within.get("surprisal")),
        "diversity": {name: _short(within[name]) for name in DIVERSITY if name in within},
        "similarity": {name: _short(cross[name]) for name in SIMILARITY if name in cross},
        "quality": mean_entry(column, bootstrap, "no quality judgments"),
    }


def _short(entry: Mapping[str, Any] | None) -> dict[str, Any]:
    found = entry or {}
    return {key: found.get(key) for key in ("value", "ci", "n", "reason")}


def _how(condition: Condition, temperature: float) -> str:
    """A line for the experiment file that adds the condition."""
    if condition.model.is_imported:
        return "imported: it cannot be sampled here"
    name = at_temperature(condition, temperature).name
    return (
        f'[[conditions]] name = "{name}", model = "{condition.model.reference}", '
        f"sampling = {{ temperature = {temperature:g} }}, the rest as in {condition.name}"
    )
