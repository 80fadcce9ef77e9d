"""Where columns and their versions stand between floor and ceiling, for the prompt on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alignbench.contexts.source_samples import samples_in_context
from alignbench.scoring.floor import is_zero_shot_base
from alignbench.spec import Condition
from alignbench.tui.condition_text import context_words
from alignbench.tui.workbench.comparison_values import (
    NOT_SAMPLED,
    ReferenceComparison,
    Score,
    ScoreSource,
    prompt_id,
)
from alignbench.tui.workbench.roles import roles
from alignbench.tui.workbench.score_summary import bench_metrics
from alignbench.tui.workbench.state import Bench, Column, letter

if TYPE_CHECKING:
    from alignbench.metrics.values import Cross
    from alignbench.scoring.prompt_scores import HeldOut


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
        or column.history[version].hash == floor
    ]
    return tuple(sorted(shown, key=lambda comparison: comparison.role != "floor"))


def comparison_of(
    bench: Bench, scorer: ScoreSource | None, column: Column, version: int, floor: str = ""
) -> ReferenceComparison:
    """One version of a column compared with the reference.

    Args:
        bench: The Bench.
        scorer: Where scores come from, None before there are any.
        column: The column.
        version: Place in its history.
        floor: Hash of the condition that is the floor.
    """
    condition, at = column.history[version], bench.columns.index(column)
    source_samples = samples_in_context(condition.context, bench.reference) if bench.reference else frozenset()
    crosses = _cross(bench, scorer, condition, source_samples)
    scores = []
    for metric in bench_metrics()[1]:
        cross = crosses.get(metric.key)
        scores.append(Score(reason=NOT_SAMPLED) if cross is None else Score(cross.value, cross.reason))
    versions = len(column.history)
    words = context_words(condition.context) if versions > 1 else column.name
    return ReferenceComparison(
        sign=letter(at) + (str(version + 1) if versions > 1 else ""),
        words=words,
        role="floor" if condition.hash == floor else "",
        scores=tuple(scores),
        n=_n(bench, condition),
        held_out=bool(source_samples),
        current=version == column.version,
        selected=at == bench.selected,
    )


def _n(bench: Bench, condition: Condition) -> int:
    cell = bench.cells.get((bench.prompt.hash, condition.hash))
    return cell.done if cell is not None else 0


def _floor(bench: Bench, known: list[tuple[Column, int]]) -> str:
    """Hash of the floor: of the columns, else the newest version that could be one; empty where there is none."""
    known_roles = roles(bench.columns, bench.reference)
    if known_roles.floor is not None:
        return next(column.hash for column in bench.columns if column.name == known_roles.floor)
    conditions = [column.history[version] for column, version in known]
    bare = [condition for condition in conditions if is_zero_shot_base(condition)]
    return bare[-1].hash if bare and not any(column.hash == c.hash for column in bench.columns for c in bare) else ""


def lowest_version(bench: Bench) -> str | None:
    """Name of the floor, a column or a version of one; None where there is none."""
    known = [
        (column, v) for column in bench.columns for v in range(len(column.history)) if _n(bench, column.history[v])
    ]
    floor = _floor(bench, [(column, v) for column, v in known if column.name != bench.reference])
    return next((column.history[v].name for column, v in known if column.history[v].hash == floor), None)


def _cross(
    bench: Bench, scorer: ScoreSource | None, condition: Condition, source_samples: frozenset[int]
) -> Mapping[str, Cross] | Mapping[str, HeldOut]:
    """Similarities to the reference's samples that the condition's context is not made from."""
    cells = (bench.cell(column) for column in bench.columns)
    prompt = next((id for cell in cells if (id := prompt_id(cell)) is not None), None)
    reference = bench.reference
    if scorer is None or prompt is None or reference is None or not _n(bench, condition):
        return {}
    from alignbench.scoring.contested import is_contested

    name = condition.name
    sources = {name: source_samples} if source_samples else {}
    scores = scorer.prompt_scores(prompt, [name], reference, sources=sources, contested=is_contested(bench.prompt))
    return scores.held_out[name] if source_samples else scores.cross[name]
