"""From the scores of every prompt to those of a condition: means over prompts, with their intervals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.intervals import UNBOUNDED, Bounds, Interval, inside
from alignbench.metrics.recovery import NO_GAP, no_gap, over_one
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference, Uncertainty, holm_corrected, mmd2_bounds
from alignbench.metrics.values import NON_EMPTY, Cross, Value
from alignbench.scoring.floor import NOT_GIVEN
from alignbench.scoring.matched import matched_estimates
from alignbench.scoring.prompt_scores import ByCondition, Comparisons, PromptScores
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables, WithinEstimate

COUNTS = ("duplicates", "empty")  # what `within` counts beside the scores
EQUAL_N = "equal_n"  # an extra of scores that move with n, where conditions differ in samples of a prompt

ScoreKey = tuple[str, str, str]  # "within", "cross" or "gap" (ceiling minus floor), condition, metric

_Column = NDArray[np.float64]  # one number a prompt, NaN where it has none

_NOTHING = Value(None, 0, "not computed")
_NO_PAIRS = Cross(None, 0, None, "not computed", "not computed")


def score_tables(
    prompts: Sequence[PromptScores],
    conditions: Sequence[str],
    *,
    within: Sequence[str],
    cross: Sequence[str],
    reference: str | None,
    floor: str | None,
    uncertainty: Uncertainty,
    jackknifed: Mapping[ScoreKey, Interval] | None = None,
    no_floor: str = NOT_GIVEN,
) -> ScoreTables:
    """The scores of conditions: of every metric the mean over prompts of the cells' values.

    An interval is over prompts, or from `jackknifed` where it has one; there is none for a single prompt otherwise.
    Differences to the reference are paired by prompt and corrected for all that the table of one set compares.

    Args:
        prompts: their scores.
        conditions: names, in the order in which they are shown.
        within: names of the metrics of one set that are shown.
        cross: those of a set and the reference's.
        reference: name of a condition; None compares nothing.
        floor: name of the zero-shot condition; None without one.
        uncertainty: of what stands over prompts.
        jackknifed: intervals from leaving out samples, of one prompt.
        no_floor: why there is no floor, where there is none.
    """
    intervals = jackknifed or {}
    tables = _within(prompts, conditions, within, reference, uncertainty, intervals)
    if reference is None:
        return ScoreTables(tables)
    matched = matched_estimates([prompt.matched for prompt in prompts], uncertainty)
    apart = _apart(prompts, conditions, reference)
    held_out = _cross([p.held_out for p in prompts], conditions, cross, floor, uncertainty, intervals, no_floor, apart)
    sourced = [c for c in conditions if any(c in p.with_source.cross for p in prompts)]
    gaps = {key: interval for key, interval in intervals.items() if key[0] == "gap"}
    of_all = _cross([p.with_source for p in prompts], sourced, cross, floor, uncertainty, gaps, no_floor, apart)
    for condition, estimates in of_all.items():
        for metric, estimate in estimates.items():
            if not any(metric in p.with_source.cross.get(condition, {}) for p in prompts):
                continue
            source = _mean(_values([p.source.get(condition, {}).get(metric, _NO_PAIRS) for p in prompts]))
            held_out[condition][metric] = replace(held_out[condition][metric], with_source=estimate, source=source)
    return ScoreTables(tables, held_out, matched)


def _within(
    prompts: Sequence[PromptScores],
    conditions: Sequence[str],
    metrics: Sequence[str],
    reference: str | None,
    uncertainty: Uncertainty,
    jackknifed: Mapping[ScoreKey, Interval],
) -> dict[str, dict[str, WithinEstimate]]:
    cells = {
        (condition, metric): [prompt.within.get(condition, {}).get(metric, _NOTHING) for prompt in prompts]
        for condition in conditions
        for metric in metrics
    }
    columns = {key: _column(cell.value for cell in column) for key, column in cells.items()}
    bounds = [_bounds(metric) for _, metric in columns]
    intervals = dict(zip(columns, uncertainty.intervals(_matrix(columns.values(), len(prompts)), bounds), strict=True))
    differences = {} if reference is None else _differences(cells, reference, uncertainty)
    scores: dict[str, dict[str, WithinEstimate]] = {condition: {} for condition in conditions}
    for (condition, metric), column in cells.items():
        there = [cell for cell in column if cell.value is not None]
        extra = (
            {"sd": _mean(_column(cell.sd for cell in column))} if metric in METRICS and METRICS[metric].has_sd else {}
        )
        extra |= _extras(there)
        for name in (EQUAL_N, NON_EMPTY):
            if any(name in cell.extra for cell in column):
                extra[name] = _mean(_at_equal_n(column))
        scores[condition][metric] = WithinEstimate(
            value=_mean(columns[condition, metric]),
            ci=(jackknifed.get(("within", condition, metric)) or intervals[condition, metric]) if there else None,
            n=len(there),
            reason="" if there else _reason(cell.reason for cell in column),
            samples=sum(cell.n for cell in there),
            extra=extra,
            difference=differences.get((condition, metric)),
        )
    return scores


def _differences(
    cells: Mapping[tuple[str, str], Sequence[Value]], reference: str, uncertainty: Uncertainty
) -> dict[tuple[str, str], PairedDifference]:
    """Of every other condition to the reference, corrected for all of them."""
    keys = [(condition, metric) for condition, metric in cells if condition != reference]
    if not keys:
        return {}
    columns = {key: _at_equal_n(column) for key, column in cells.items()}
    a = np.stack([columns[key] for key in keys], axis=1)
    b = np.stack([columns[reference, metric] for _, metric in keys], axis=1)
    differences = uncertainty.differences(a, b, [_bounds(metric) for _, metric in keys])
    return holm_corrected(dict(zip(keys, differences, strict=True)))


def _cross(
    prompts: Sequence[Comparisons],
    conditions: Sequence[str],
    metrics: Sequence[str],
    floor: str | None,
    uncertainty: Uncertainty,
    jackknifed: Mapping[ScoreKey, Interval],
    no_floor: str,
    apart: Mapping[str, str],
) -> dict[str, dict[str, CrossEstimate]]:
    keys = [(condition, metric) for condition in conditions for metric in metrics]
    if not keys:
        return {condition: {} for condition in conditions}

    def cells_of(table: Callable[[Comparisons], ByCondition[Cross]]) -> dict[tuple[str, str], list[Cross]]:
        return {(c, metric): [table(p).get(c, {}).get(metric, _NO_PAIRS) for p in prompts] for c, metric in keys}

    cells = cells_of(lambda prompt: prompt.cross)
    values = {key: _values(column) for key, column in cells.items()}
    mmd2s = {key: _column(cell.mmd2 for cell in column) for key, column in cells.items()}
    ceilings = {
        key: np.where(np.isnan(values[key]), np.nan, _column(cell.ceiling for cell in column))
        for key, column in cells.items()
    }
    floors, nulls = (
        {
            key: _values([_NO_PAIRS if np.isnan(own) else cell for own, cell in zip(values[key], column, strict=True)])
            for key, column in cells_of(table).items()
        }
        for table in (lambda prompt: prompt.floor, lambda prompt: prompt.null)
    )
    n = len(prompts)
    bounds = [_bounds(metric) for _, metric in keys]
    intervals = uncertainty.intervals(
        _matrix([*values.values(), *mmd2s.values()], n), [*bounds, *[UNBOUNDED] * len(keys)]
    )
    from_0 = _p_from_0(mmd2s, uncertainty)
    # A distance is closest to the reference where it is lowest: recovery counts how much of it is gone.
    signs = np.array([-1.0 if METRICS[metric].is_distance else 1.0 for _, metric in keys])
    recoveries = uncertainty.recoveries(
        *(_matrix(columns.values(), n) * signs for columns in (values, floors, ceilings))
    )
    scores: dict[str, dict[str, CrossEstimate]] = {condition: {} for condition in conditions}
    for i, (condition, metric) in enumerate(keys):
        key, recovery = (condition, metric), recoveries[i]
        value = values[key]
        there = int((~np.isnan(value)).sum())
        distance = _mean(mmd2s[key])
        gap_ci = jackknifed.get(("gap", *key)) or recovery.gap_ci
        reason = NO_GAP if recovery.value is not None and no_gap(gap_ci) else recovery.reason
        scores[condition][metric] = CrossEstimate(
            value=_mean(value),
            ci=(jackknifed.get(("cross", *key)) or intervals[i]) if there else None,
            n=there,
            reason="" if there else apart.get(condition) or _reason(cell.reason for cell in cells[key]),
            max_matched=_mean(_column(p.max_matched.get(condition, {}).get(metric) for p in prompts)),
            mmd2=distance,
            mmd2_ci=inside(intervals[len(keys) + i], mmd2_bounds(bounds[i])),
            mmd2_p=from_0[key],
            ceiling=_mean(ceilings[key]),
            floor=_mean(floors[key]),
            null=_mean(nulls[key]),
            recovery=recovery.value,
            recovery_ci=recovery.ci,
            recovery_reason=reason if floor is not None else no_floor,
            gap_ci=gap_ci,
            warning=over_one(recovery.value, recovery.ci, distance, compares_means=METRICS[metric].compares_means),
            extra=_extras([cell for cell in cells[key] if cell.value is not None]),
        )
    return scores


def _apart(prompts: Sequence[PromptScores], conditions: Sequence[str], reference: str) -> dict[str, str]:
    """Why nothing can be compared, of conditions that answer other prompts than the reference does."""
    answered = {
        c: {i for i, prompt in enumerate(prompts) if prompt.within.get(c, {}).get("empty", _NOTHING).n}
        for c in {*conditions, reference}
    }
    own = answered[reference]
    reason = f"no prompt in common with {reference}"
    return {c: reason for c in conditions if own and answered[c] and not own & answered[c]}


def _p_from_0(
    columns: Mapping[tuple[str, str], _Column], uncertainty: Uncertainty
) -> dict[tuple[str, str], float | None]:
    """The p of each column's mean being 0, corrected for all of them; None under six prompts."""
    values = np.array([*columns.values()]).T
    tested = holm_corrected(dict(zip(columns, uncertainty.differences(values, np.zeros_like(values)), strict=True)))
    return {key: one.p_holm for key, one in tested.items()}


def _bounds(metric: str) -> Bounds:
    """What is no score counts things."""
    return METRICS[metric].bounds if metric in METRICS else (0.0, inf)


def _at_equal_n(cells: Iterable[Value]) -> _Column:
    """What conditions are compared by: of scores that move with n the values at the n that all of them have, of those
    that empty responses are part of the values without these."""
    return _column(cell.extra.get(EQUAL_N, cell.extra.get(NON_EMPTY, cell.value)) for cell in cells)


def _column(values: Iterable[float | None]) -> _Column:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _values(cells: Sequence[Cross]) -> _Column:
    """Whose mean over prompts is that of what the cells rest on."""
    return _weighted(_column(cell.value for cell in cells), np.array([cell.weight for cell in cells]))


def _weighted(rates: _Column, weights: _Column) -> _Column:
    """Numbers whose mean is the weighted one, and whose spread is that of a ratio of sums (Cochran 1977, chapter 6)."""
    there = ~np.isnan(rates)
    if not there.any() or np.ptp(weights[there]) == 0:
        return rates
    whole = np.average(rates[there], weights=weights[there])
    spread: _Column = whole + (rates - whole) * weights / weights[there].mean()
    return spread


def _matrix(columns: Iterable[_Column], n_prompts: int) -> NDArray[np.float64]:
    """(P, K) of K columns (P,)."""
    listed = [*columns]
    return np.array(listed, np.float64).reshape(len(listed), n_prompts).T


def _mean(column: _Column) -> float | None:
    there = column[~np.isnan(column)]
    return statistics.fmean(there.tolist()) if there.size else None


def _extras(cells: Sequence[Value] | Sequence[Cross]) -> dict[str, float | None]:
    """What cells have beside their value: means over prompts."""
    names = dict.fromkeys(name for cell in cells for name in cell.extra)
    return {name: _mean(_column(cell.extra.get(name) for cell in cells)) for name in names}


def _reason(reasons: Iterable[str]) -> str:
    """The reason most cells give."""
    return statistics.mode([*reasons] or ["no prompts"])
