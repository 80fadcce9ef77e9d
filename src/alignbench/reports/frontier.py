"""Diversity against quality or similarity over a ladder of temperatures: equal temperatures are not equal entropies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alignbench import bounds
from alignbench.errors import InputError
from alignbench.judging.qualities import Qualities
from alignbench.metrics.estimates import Estimate, mean_estimate
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import Uncertainty
from alignbench.scoring.score_tables import ScoreTables
from alignbench.spec import Condition

DIVERSITY = ("jaccard", "embedding_diversity")
SIMILARITY = ("jaccard", "embedding_similarity")


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A condition at one temperature.

    Attributes:
        condition: its name.
        group: the first of the conditions that differ from it in their temperature only.
        temperature: what it was sampled with.
        surprisal: mean bits of a token; None where that is no part of the scores.
        diversity: by metric, of those of `DIVERSITY` that there are.
        similarity: to the reference by metric, of those of `SIMILARITY` that there are.
        quality: mean judged quality.
    """

    condition: str
    group: str
    temperature: float
    surprisal: Estimate | None
    diversity: Mapping[str, Estimate]
    similarity: Mapping[str, Estimate]
    quality: Estimate


@dataclass(frozen=True, slots=True)
class MissingPoint:
    """A temperature that a group was not sampled at. how: what to do so that it is."""

    group: str
    temperature: float
    how: str


@dataclass(frozen=True, slots=True)
class Frontier:
    """The conditions that differ in their temperature only, group by group; a group with none of the temperatures has
    no part."""

    temperatures: tuple[float, ...]
    points: tuple[FrontierPoint, ...]
    missing: tuple[MissingPoint, ...]


def parse_temperatures(text: str) -> tuple[float, ...]:
    """Numbers with commas between, 0 or more, each once, in order. InputError for anything else."""
    try:
        temperatures = sorted({bounds.TEMPERATURE.read("a temperature", part) for part in text.split(",")})
    except InputError:
        temperatures = []
    if len(temperatures) < 2:
        raise InputError(
            f"temperatures {text!r}: expected two numbers or more, each 0 to 100, such as 0.3,0.5,0.7,1.0."
        )
    return tuple(temperatures)


def frontier(
    conditions: Sequence[Condition],
    temperatures: Sequence[float],
    tables: ScoreTables,
    qualities: Qualities,
    uncertainty: Uncertainty,
) -> Frontier:
    """What the tables and the judgments say of the conditions at these temperatures, and which the session lacks."""
    points: list[FrontierPoint] = []
    missing: list[MissingPoint] = []
    for members in _groups(conditions):
        by_temperature = {member.sampling.temperature: member for member in members}
        if not by_temperature.keys() & {*temperatures}:
            continue
        name = members[0].name
        for temperature in temperatures:
            member = by_temperature.get(temperature)
            if member is None:
                missing.append(MissingPoint(name, temperature, _how(members[0], temperature)))
            else:
                points.append(_point(member, name, tables, qualities, uncertainty))
    return Frontier(tuple(temperatures), tuple(points), tuple(missing))


def ladder(conditions: Sequence[Condition]) -> tuple[list[Condition], tuple[float, ...]]:
    """Those of the conditions that have another one beside them which differs in its temperature alone, and all their
    temperatures in order."""
    alike = [member for members in _groups(conditions) if len(members) > 1 for member in members]
    return alike, tuple(sorted({condition.sampling.temperature for condition in alike}))


def at_temperature(condition: Condition, temperature: float) -> Condition:
    """The same at another temperature, under the name that a frontier gives it."""
    return replace(
        condition,
        name=f"{condition.name}@temp{temperature:g}",
        sampling=replace(condition.sampling, temperature=temperature),
    )


def judged_quality(condition: str, qualities: Qualities, uncertainty: Uncertainty) -> Estimate:
    """Mean judged quality of the responses of a condition, over prompts."""
    by_prompt: dict[str, list[float]] = {}
    for (name, prompt, _), quality in qualities.of.items():
        if name == condition:
            by_prompt.setdefault(prompt, []).append(quality)
    column: Mapping[str, float | None] = {prompt: sum(q) / len(q) for prompt, q in by_prompt.items()}
    return mean_estimate(column, uncertainty, "no quality judgments", METRICS["quality"].bounds)


def _groups(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Conditions that differ in their temperature only stand together; those of an unknown one nowhere."""
    groups: dict[Condition, list[Condition]] = {}
    for condition in conditions:
        if "temperature" in condition.unrecorded:
            continue
        groups.setdefault(_without_temperature(condition), []).append(condition)
    return [*groups.values()]


def _without_temperature(condition: Condition) -> Condition:
    sampling = replace(condition.sampling, temperature=0.0)
    return replace(condition, name="", model=replace(condition.model, name=""), sampling=sampling)


def _point(
    condition: Condition, group: str, tables: ScoreTables, qualities: Qualities, uncertainty: Uncertainty
) -> FrontierPoint:
    within, cross = tables.within[condition.name], tables.cross.get(condition.name, {})
    return FrontierPoint(
        condition=condition.name,
        group=group,
        temperature=condition.sampling.temperature,
        surprisal=within.get("surprisal"),
        diversity={name: within[name] for name in DIVERSITY if name in within},
        similarity={name: cross[name] for name in SIMILARITY if name in cross},
        quality=judged_quality(condition.name, qualities, uncertainty),
    )


def _how(condition: Condition, temperature: float) -> str:
    """A line for the experiment file that adds the condition."""
    if condition.model.is_imported:
        return "imported: it cannot be sampled here"
    name = at_temperature(condition, temperature).name
    return (
        f'[[conditions]] name = "{name}", model = "{condition.model.reference}", '
        f"sampling = {{ temperature = {temperature:g} }}, the rest as in {condition.name}"
    )
