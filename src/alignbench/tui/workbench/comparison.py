"""Where columns and their versions stand between floor and ceiling, for the prompt on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alignbench.contexts.source_samples import source_conditions
from alignbench.experiments.condition_changes import context_words
from alignbench.scoring.floor import is_zero_shot_base
from alignbench.spec import Condition
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.comparison_values import (
    NOT_SAMPLED,
    ReferenceComparison,
    Score,
    ScoreSource,
    prompt_id,
)
from alignbench.tui.workbench.roles import roles
from alignbench.tui.workbench.score_summary import bench_metrics
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.metrics.values import Cross


def comparisons(bench: Bench, scorer: ScoreSource | None) -> tuple[ReferenceComparison, ...]:
    """The floor first, then the columns but the reference from left to right, the selected one with its versions.

    A version without a sample of this prompt is shown only where it is the one on the Bench.
    """
    if bench.reference not in {column.name for column in bench.columns}:
        return ()
    known = [
        (column, version)
        for at, column in enumerate(bench.columns)
        if column.name != bench.reference
        for version in range(len(column.history))
        if version == column.version or _n(bench, column.history[version])
    ]
    floor = _floor(bench, known)
    shown = [
        comparison_of(bench, scorer, column, version, floor)
        for column, version in known
        if version == column.version
        or bench.columns.index(column) == bench.selected
        or column.history[version] == floor
    ]
    return tuple(sorted(shown, key=lambda comparison: comparison.role != "floor"))


def comparison_of(
    bench: Bench, scorer: ScoreSource | None, column: Column, version: int, floor: Condition | None = None
) -> ReferenceComparison:
    """One version of a column compared with the reference.

    Args:
        bench: The Bench.
        scorer: Where scores come from, None before there are any.
        column: The column.
        version: Place in its history.
        floor: The condition that is the floor.
    """
    condition, at = column.history[version], bench.columns.index(column)
    sources = source_samples(bench)
    scores = _similarities(bench, scorer, condition, sources)
    versions = len(column.history)
    words = context_words(condition.context) if versions > 1 else column.name
    return ReferenceComparison(
        sign=letter(at) + (str(version + 1) if versions > 1 else ""),
        words=words,
        role="floor" if condition == floor else "",
        scores=scores,
        n=_n(bench, condition),
        held_out=condition.name in sources,
        current=version == column.version,
        selected=at == bench.selected,
    )


def source_samples(bench: Bench) -> dict[str, frozenset[int]]:
    """By column or version, the samples of the reference that its context is made from; none of the others."""
    return source_conditions((c for column in bench.columns for c in column.history), bench.reference)


def _n(bench: Bench, condition: Condition) -> int:
    cell = bench.cells.get((bench.prompt.key, condition.hash))
    return cell.done if cell is not None else 0


def _floor(bench: Bench, known: list[tuple[Column, int]]) -> Condition | None:
    """Of the columns, else the newest version that could be one; None where there is none."""
    known_roles = roles(bench.columns, bench.reference)
    if known_roles.floor is not None:
        return next(column.condition for column in bench.columns if column.name == known_roles.floor)
    conditions = [column.history[version] for column, version in known]
    bare = [condition for condition in conditions if is_zero_shot_base(condition)]
    return bare[-1] if bare and not any(column.hash == c.hash for column in bench.columns for c in bare) else None


def lowest_version(bench: Bench) -> str | None:
    """Name of the floor, a column or a version of one; None where there is none."""
    known = [
        (column, v) for column in bench.columns for v in range(len(column.history)) if _n(bench, column.history[v])
    ]
    floor = _floor(bench, [(column, v) for column, v in known if column.name != bench.reference])
    sampled = floor is not None and any(column.history[v].hash == floor.hash for column, v in known)
    return floor.name if floor is not None and sampled else None


def _similarities(
    bench: Bench,
    scorer: ScoreSource | None,
    condition: Condition,
    sources: Mapping[str, frozenset[int]],
) -> tuple[Score, ...]:
    """A condition's similarities to the reference."""
    metrics = [metric.key for metric in bench_metrics()[1]]
    cells = (bench.cell(column) for column in bench.columns)
    prompt = next((id for cell in cells if (id := prompt_id(cell)) is not None), None)
    if scorer is None or prompt is None or bench.reference is None or not _n(bench, condition):
        return tuple(Score(reason=NOT_SAMPLED) for _ in metrics)
    from alignbench.scoring.contested import is_contested

    name = condition.name
    compared = scorer.prompt_scores(
        prompt,
        [name],
        bench.reference,
        sources=sources,
        contested=is_contested(bench.prompt),
    ).held_out
    scores = compared.cross.get(name, {})
    return tuple(_score(scores.get(metric)) for metric in metrics)


def _score(cross: Cross | None) -> Score:
    return Score(reason=NOT_SAMPLED) if cross is None else Score(cross.value, cross.reason)
