"""From the scores of every prompt to those of a condition: means over prompts, with their intervals, ready for JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.catalogue import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS, Bootstrap, Interval, JackknifeVariance, holm, spread_interval
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.floor import NOT_GIVEN

COUNTS = ("duplicates", "empty")  # what `within` counts beside the scores
EQUAL_N = "equal_n"  # an extra of scores that move with n, where conditions differ in samples of a prompt

Tables = dict[str, dict[str, dict[str, dict[str, Any]]]]
ScoreKey = tuple[str, str, str]  # "within" or "cross", condition, metric

_Column = NDArray[np.float64]  # one number a prompt, NaN where it has none

_NOTHING = Value(None, 0, "not computed")
_NO_PAIRS = Cross(None, 0, None, "not computed", "not computed")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A similarity to the reference's samples that a context does not tell of (value), and to the others (source)."""

    value: float | None
    source: float | None


@dataclass(frozen=True, slots=True)
class PromptScores:
    """The scores of one prompt.

    within: by condition and metric. cross: the same, each condition against the reference, itself included. null: by
    metric, the reference's answers to another prompt in a condition's place. max_matched: by condition and metric, the
    expected maximum over pairs at the number of pairs that the smallest of the compared sets has. held_out: by
    condition and metric, of conditions whose context tells of samples of the reference. spreads: by condition and
    metric, what the samples of each side add to the variance of a similarity; empty where nobody asked.
    """

    within: Mapping[str, Mapping[str, Value]]
    cross: Mapping[str, Mapping[str, Cross]] = field(default_factory=dict)
    null: Mapping[str, Cross] = field(default_factory=dict)
    max_matched: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    held_out: Mapping[str, Mapping[str, HeldOut]] = field(default_factory=dict)
    spreads: Mapping[str, Mapping[str, tuple[JackknifeVariance, ...]]] = field(default_factory=dict)


def score_tables(
    prompts: Sequence[PromptScores],
    conditions: Sequence[str],
    *,
    within: Sequence[str],
    cross: Sequence[str],
    reference: str | None,
    floor: str | None,
    bootstrap: Bootstrap,
    jackknifed: Mapping[ScoreKey, Interval] | None = None,
    no_floor: str = NOT_GIVEN,
) -> Tables:
    """{"within": {condition: {metric: ...}}, "cross": the same}; within, cross: names of the metrics that are shown.

    no_floor: why there is no floor, where there is none.

    Every `value` is the mean over prompts of the cells' values, `n` the number of prompts with one and `samples` the
    samples these have; None where no prompt has one, and `reason` says why. `ci` comes from resampled prompts, or from
    `jackknifed` where it has one; it is None for a single prompt otherwise. That of a similarity over fewer than 20
    prompts comes from leaving out samples, where the prompts have `spreads`. `words` has `sd` too: the mean over
    prompts of the standard deviation inside a cell; what a value has as `extra` stands beside it in the same way.
    `equal_n` is there for scores that move with n where conditions have different numbers of samples of a prompt: the
    value at the number that all have. `difference` compares a condition with the reference by it, paired by prompt, its
    `p_holm` corrected for the conditions that are compared.

    `cross` holds every condition against the reference, itself included (its value is the ceiling), and is empty
    without one; its ceiling, floor and null are means over the prompts that the condition has a value for.
    `held_out` is the similarity to the reference's samples that the condition's context does not tell of, `source` to
    those it does; None for a condition whose context tells of none.
    """
    intervals = jackknifed or {}
    tables: Tables = {
        "within": _within(prompts, conditions, within, reference, bootstrap, intervals),
        "cross": {},
    }
    if reference is not None:
        tables["cross"] = _cross(prompts, conditions, cross, reference, floor, bootstrap, intervals, no_floor)
    return tables


def _within(
    prompts: Sequence[PromptScores],
    conditions: Sequence[str],
    metrics: Sequence[str],
    reference: str | None,
    bootstrap: Bootstrap,
    jackknifed: Mapping[ScoreKey, Interval],
) -> dict[str, dict[str, dict[str, Any]]]:
    cells = {
        (condition, metric): [prompt.within.get(condition, {}).get(metric, _NOTHING) for prompt in prompts]
        for condition in conditions
        for metric in metrics
    }
    columns = {key: _column(cell.value for cell in column) for key, column in cells.items()}
    intervals = dict(zip(columns, bootstrap.intervals(_matrix(columns.values(), len(prompts))), strict=True))
    scores: dict[str, dict[str, dict[str, Any]]] = {condition: {} for condition in conditions}
    for (condition, metric), column in cells.items():
        there = [cell for cell in column if cell.value is not None]
        scores[condition][metric] = {
            "value": _mean(columns[condition, metric]),
            "ci": _listed(jackknifed.get(("within", condition, metric)) or intervals[condition, metric])
            if there
            else None,
            "n": len(there),
            "samples": sum(cell.n for cell in there),
            "reason": "" if there else _reason(cell.reason for cell in column),
        }
        if metric == "words":
            scores[condition][metric]["sd"] = _mean(_column(cell.sd for cell in column))
        scores[condition][metric] |= _extras(there)
        if any(EQUAL_N in cell.extra for cell in column):
            scores[condition][metric][EQUAL_N] = _mean(_at_equal_n(column))
    if reference is not None:
        compared = {key: _at_equal_n(column) for key, column in cells.items()}
        _add_differences(scores, compared, [c for c in conditions if c != reference], metrics, reference, bootstrap)
    return scores


def _add_differences(
    scores: dict[str, dict[str, dict[str, Any]]],
    columns: Mapping[tuple[str, str], _Column],
    conditions: Sequence[str],
    metrics: Sequence[str],
    reference: str,
    bootstrap: Bootstrap,
) -> None:
    keys = [(condition, metric) for metric in metrics for condition in conditions]
    if not keys:
        return
    a = np.stack([columns[key] for key in keys], axis=1)
    b = np.stack([columns[reference, metric] for _, metric in keys], axis=1)
    found = dict(zip(keys, bootstrap.differences(a, b), strict=True))
    for metric in metrics:
        tested = [c for c in conditions if found[c, metric].p is not None]
        corrected = dict(zip(tested, holm([found[c, metric].p or 0.0 for c in tested]), strict=True))
        for condition in conditions:
            difference = found[condition, metric]
            scores[condition][metric]["difference"] = {
                "value": difference.value,
                "ci": _listed(difference.ci),
                "p": difference.p,
                "p_holm": corrected.get(condition),
                "n": difference.n,
            }


def _cross(
    prompts: Sequence[PromptScores],
    conditions: Sequence[str],
    metrics: Sequence[str],
    reference: str,
    floor: str | None,
    bootstrap: Bootstrap,
    jackknifed: Mapping[ScoreKey, Interval],
    no_floor: str,
) -> dict[str, dict[str, dict[str, Any]]]:
    keys = [(condition, metric) for condition in conditions for metric in metrics]
    if not keys:
        return {condition: {} for condition in conditions}
    cells = {(c, metric): [prompt.cross.get(c, {}).get(metric, _NO_PAIRS) for prompt in prompts] for c, metric in keys}
    values = {key: _column(cell.value for cell in column) for key, column in cells.items()}
    mmd2s = {key: _column(cell.mmd2 for cell in column) for key, column in cells.items()}
    missing = np.full(len(prompts), np.nan)
    nulls = {
        metric: _column(prompt.null[metric].value if metric in prompt.null else None for prompt in prompts)
        for metric in metrics
    }
    ceilings, floors = {}, {}
    for key in keys:
        there = np.isnan(values[key])
        ceilings[key] = np.where(there, np.nan, _column(cell.ceiling for cell in cells[key]))
        floors[key] = np.where(there, np.nan, values[floor, key[1]]) if floor is not None else missing
    n = len(prompts)
    intervals = bootstrap.intervals(_matrix([*values.values(), *mmd2s.values()], n))
    # A distance is closest to the reference where it is lowest: recovery counts how much of it is gone.
    signs = np.array([-1.0 if METRICS[metric].is_distance else 1.0 for _, metric in keys])
    recoveries = bootstrap.recoveries(*(_matrix(columns.values(), n) * signs for columns in (values, floors, ceilings)))
    apart = _apart(prompts, conditions, reference)
    scores: dict[str, dict[str, dict[str, Any]]] = {condition: {} for condition in conditions}
    for i, (condition, metric) in enumerate(keys):
        key, recovery = (condition, metric), recoveries[i]
        value = values[key]
        hidden = [found for p in prompts if (found := p.held_out.get(condition, {}).get(metric)) is not None]
        here = int((~np.isnan(value)).sum())
        scores[condition][metric] = {
            "value": _mean(value),
            "ci": _listed(
                jackknifed.get(("cross", condition, metric)) or _over_samples(prompts, value, *key) or intervals[i]
            )
            if here
            else None,
            "max_matched": _mean(_column(p.max_matched.get(condition, {}).get(metric) for p in prompts)),
            "mmd2": _mean(mmd2s[key]),
            "ceiling": _mean(ceilings[key]),
            "floor": _mean(floors[key]),
            "null": _mean(np.where(np.isnan(value), np.nan, nulls[metric])),
            "recovery": recovery.value,
            "held_out": _mean(_column(cell.value for cell in hidden)),
            "source": _mean(_column(cell.source for cell in hidden)),
            "n": here,
            "reason": "" if here else apart.get(condition) or _reason(cell.reason for cell in cells[key]),
            "mmd2_ci": _listed(intervals[len(keys) + i]),
            "recovery_ci": _listed(recovery.ci),
            "recovery_reason": recovery.reason if floor is not None else no_floor,
            "warning": recovery.warning,
        }
        scores[condition][metric] |= _extras([cell for cell in cells[key] if cell.value is not None])
    return scores


def _over_samples(prompts: Sequence[PromptScores], values: _Column, condition: str, metric: str) -> Interval | None:
    """Of the mean over a few prompts, from the spread over the samples of each: fewer than 20 do not bear resampling.

    None for 20 or more, and where a prompt has no spread.
    """
    there = [prompt for prompt, value in zip(prompts, values, strict=True) if not np.isnan(value)]
    of_prompts = [prompt.spreads.get(condition, {}).get(metric, ()) for prompt in there]
    if len(there) >= MIN_PROMPTS or not all(of_prompts):
        return None
    spreads = [
        JackknifeVariance(s.variance / len(there) ** 2, s.freedom) for of_prompt in of_prompts for s in of_prompt
    ]
    return spread_interval(float(np.nanmean(values)), spreads)


def _apart(prompts: Sequence[PromptScores], conditions: Sequence[str], reference: str) -> dict[str, str]:
    """Why nothing can be compared, of conditions that answer other prompts than the reference does."""
    answered = {
        c: {i for i, prompt in enumerate(prompts) if prompt.within.get(c, {}).get("empty", _NOTHING).n}
        for c in {*conditions, reference}
    }
    own = answered[reference]
    reason = f"no prompt in common with {reference}"
    return {c: reason for c in conditions if own and answered[c] and not own & answered[c]}


def _at_equal_n(cells: Iterable[Value]) -> _Column:
    """What conditions are compared by: of scores that move with n the values at the n that all of them have."""
    return _column(cell.extra.get(EQUAL_N, cell.value) for cell in cells)


def _column(values: Iterable[float | None]) -> _Column:
    return np.array([np.nan if value is None else value for value in values], np.float64)


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


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _reason(reasons: Iterable[str]) -> str:
    """The reason most cells give."""
    return statistics.mode([*reasons] or ["no prompts"])
