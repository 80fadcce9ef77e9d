"""Intervals around the scores of one prompt, from leaving out its samples in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from alignbench.metrics import registry
from alignbench.metrics.arrays import Floats
from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.counted_cell import CountedCell, pair_matrix
from alignbench.metrics.intervals import Interval, clipped
from alignbench.metrics.jackknife import jackknife_interval
from alignbench.metrics.registry import METRICS
from alignbench.metrics.running_cell import CellPair
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.aggregate import ScoreKey

_GROUPS = 20  # a hundred samples need not be scored a hundred times


def left_out(texts: Mapping[int, str]) -> Iterator[dict[int, str]]:
    """The samples without each in turn, or without each of at most 20 groups of them."""
    samples = [*texts]
    for kept in left_out_places(len(texts)):
        yield {samples[i]: texts[samples[i]] for i in kept}


def left_out_places(n: int) -> list[list[int]]:
    """The same of n places: those that are kept each time."""
    groups = min(n, _GROUPS)
    return [[i for i in range(n) if i % groups != group] for group in range(groups)]


def jackknife_intervals(
    whole: Mapping[str, ScoredCell],
    without: Mapping[str, Sequence[ScoredCell]],
    reference: str | None,
    held_out: Mapping[str, Sequence[ScoredCell]],
) -> dict[ScoreKey, Interval]:
    """Of each score that is a mean and has a value with any of the samples left out.

    Args:
        whole: The cells of a prompt by condition.
        without: The same cells with samples left out (see `left_out`).
        reference: Name of the condition that they are compared with; None compares nothing.
        held_out: By condition that is compared with some of the reference's samples only, the cell of these, and the
            same with samples left out.
    """
    intervals: dict[ScoreKey, Interval] = {}
    for condition, cells in without.items():
        _add(intervals, "within", condition, whole[condition].within(), [[cell.within() for cell in cells]])
    if reference is None:
        return intervals
    for condition, cells in without.items():
        other = whole[condition]
        own, *own_without = held_out.get(condition, (whole[reference], *without[reference]))
        if condition == reference:
            sides = [[CellPair(cell, cell).cross() for cell in cells]]
        else:
            sides = [
                [CellPair(cell, other).cross() for cell in own_without],
                [CellPair(own, cell).cross() for cell in cells],
            ]
        _add(intervals, "cross", condition, CellPair(own, other).cross(), sides)
    return intervals


def gap_intervals(reference: CountedCell, floor: CountedCell) -> dict[str, Interval]:
    """Of ceiling minus floor on one prompt, by metric that compares pairs of responses: how far two responses of the
    reference are more alike than one of them and one of the floor. None where there is no such
    pair without one of the responses."""
    intervals = {}
    for metric in registry.cross(reference.metrics):
        own, others = pair_matrix(reference, reference, metric), pair_matrix(reference, floor, metric)
        np.fill_diagonal(own := own.copy(), np.nan)
        sign = -1.0 if METRICS[metric].is_distance else 1.0
        by_reference = sign * (_without_each(own, both=True) - _without_each(others))
        by_floor = sign * (_mean(own) - _without_each(others.T))
        left_out = by_reference.tolist(), by_floor.tolist()
        if np.isnan(by_reference).any() or np.isnan(by_floor).any():
            continue
        interval = jackknife_interval(sign * (_mean(own) - _mean(others)), *left_out)
        if interval is not None:
            intervals[metric] = interval
    return intervals


def _mean(similarities: Floats) -> float:
    """Of the pairs that have one; NaN without any."""
    there = similarities[~np.isnan(similarities)]
    return float(there.mean()) if there.size else float("nan")


def _without_each(similarities: Floats, *, both: bool = False) -> Floats:
    """(n,) means of a matrix (n, m) of pairs without each row in turn; both: and without its column."""
    there = ~np.isnan(similarities)
    rows, counts = np.where(there, similarities, 0.0).sum(axis=1), there.sum(axis=1)
    times = 2 if both else 1
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (rows.sum() - times * rows) / (counts.sum() - times * counts)
    return means


def _add(
    intervals: dict[ScoreKey, Interval],
    table: str,
    condition: str,
    whole: Mapping[str, Value] | Mapping[str, Cross],
    sides: Sequence[Sequence[Mapping[str, Value] | Mapping[str, Cross]]],
) -> None:
    for metric, score in whole.items():
        if score.value is None or not is_mean(metric):
            continue
        left_out = [[without[metric].value for without in side] for side in sides]
        if any(value is None for side in left_out for value in side):
            continue
        interval = jackknife_interval(score.value, *([v for v in side if v is not None] for side in left_out))
        if interval is not None:
            intervals[table, condition, metric] = clipped(interval, METRICS[metric].bounds)


def is_mean(metric: str) -> bool:
    """Whether leaving out a sample tells of a score's spread: not of one that moves with n, nor of a count."""
    return metric in METRICS and not METRICS[metric].moves_with_n and not METRICS[metric].is_count
