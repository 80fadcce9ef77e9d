"""The scores of one prompt as a table: what the strip on the Bench and the scores screen show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from alignbench.reports.numbers import COUNT, digits_of
from alignbench.tui.workbench.comparison_values import (
    NOT_SAMPLED,
    Score,
    ScoreSource,
    ScoreTable,
    ShownMetric,
    Similarity,
    prompt_id,
)
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.metrics.metric import Metric
    from alignbench.metrics.values import Cross, Value


EMPTY = ShownMetric("empty", "empty responses", "empty", digits=COUNT)  # a row where a column has any


@cache
def bench_metrics() -> tuple[tuple[ShownMetric, ...], tuple[ShownMetric, ...]]:
    """The scores of one set and the similarities that the Bench shows: those that run where nothing else is asked for.

    The first paint does without them, since scores import numpy.
    """
    from alignbench.metrics.registry import CROSS, METRICS, WITHIN

    return tuple(_of_one_set(METRICS[name]) for name in WITHIN), tuple(_of_two(METRICS[name]) for name in CROSS)


def _of_one_set(metric: Metric) -> ShownMetric:
    arrow = {"higher": "↑", "lower": "↑" if metric.inverted else "↓", "": ""}[metric.more_diverse]
    if metric.inverted:
        return ShownMetric(metric.name, metric.inverted, metric.inverted_short, invert=True, arrow=arrow)
    return ShownMetric(
        metric.name,
        metric.title,
        metric.short or metric.title,
        has_sd=metric.has_sd,
        digits=digits_of(metric),
        arrow=arrow,
    )


def _of_two(metric: Metric) -> ShownMetric:
    short = metric.short or metric.title
    return ShownMetric(metric.name, short, short)


def _score(value: Value | None, metric: ShownMetric, missing: str) -> Score:
    if value is None:
        return Score(reason=missing)
    if value.value is None:
        return Score(reason=value.reason or missing)
    shown = 1 - value.value if metric.invert else value.value
    return Score(shown, sd=value.sd if metric.has_sd else None, digits=metric.digits)


def _similarity(crosses: Sequence[Cross | None], reference: int, missing: str) -> Similarity:
    """Scores of all columns against the reference; its own is the ceiling."""
    own = crosses[reference]
    ceiling = Score(reason=missing) if own is None else Score(own.ceiling, own.ceiling_reason)
    scores = [Score(reason=missing) if cross is None else Score(cross.value, cross.reason) for cross in crosses]
    return Similarity(ceiling, tuple(None if at == reference else score for at, score in enumerate(scores)))


def score_table(bench: Bench, scorer: ScoreSource | None) -> ScoreTable:
    """The table for the prompt on the screen."""
    cells = [bench.cell(column) for column in bench.columns]
    names = tuple(column.name for column in bench.columns)
    reference = names.index(bench.reference) if bench.reference in names else None
    prompt = next((id for cell in cells if (id := prompt_id(cell)) is not None), None)
    missing = NOT_SAMPLED
    scores = None
    if scorer is not None and prompt is not None:
        from alignbench.contexts.source_samples import source_conditions
        from alignbench.scoring.contested import is_contested

        against = None if reference is None else bench.reference
        sources = source_conditions((column.condition for column in bench.columns), against)
        scores = scorer.prompt_scores(prompt, names, against, sources=sources, contested=is_contested(bench.prompt))
    within = [scores.within[name] if scores else {} for name in names]
    metrics, similarities = bench_metrics()
    if any((values[EMPTY.key].value or 0.0) > 0.0 for values in within if EMPTY.key in values):
        metrics = (EMPTY, *metrics)
    rows = {m.key: tuple(_score(values.get(m.key), m, missing) for values in within) for m in metrics}

    cross: dict[str, Similarity] = {}
    if reference is not None:
        pairs = [scores.held_out.cross[name] if scores else {} for name in names]
        cross = {m.key: _similarity([values.get(m.key) for values in pairs], reference, missing) for m in similarities}
    n = tuple(cell.done for cell in cells)
    return ScoreTable(names, n, bench.selected, reference, rows, cross or None, metrics, similarities)
