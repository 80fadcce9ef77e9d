"""Numbers with their uncertainty, ready for JSON: a mean over prompts, a paired difference, a ratio of means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from alignbench.metrics.statistics import MIN_PROMPTS, Bootstrap, holm, percentile_interval

Entry = dict[str, Any]
PromptValues = Mapping[str, float | None]  # one number a prompt, None where it has none


def mean_entry(column: PromptValues, bootstrap: Bootstrap, reason: str = "") -> Entry:
    """{"value", "ci", "n", "reason"}: the mean over prompts, its bootstrap interval, and how many prompts it is of."""
    values = np.array([[_number(value)] for value in column.values()], np.float64).reshape(-1, 1)
    there = values[~np.isnan(values)]
    (interval,) = bootstrap.intervals(values)
    return {
        "value": float(there.mean()) if there.size else None,
        "ci": None if interval is None else list(interval),
        "n": int(there.size),
        "reason": "" if there.size else reason or "no prompt has a value",
    }


def difference_entries(
    pairs: Mapping[str, tuple[PromptValues, PromptValues]], bootstrap: Bootstrap
) -> dict[str, Entry]:
    """Of each pair of columns, first minus second over the prompts that both have: {"value", "ci", "p", "p_holm", "n"}.

    p_holm: corrected for how many pairs there are.
    """
    found: dict[str, Entry] = {}
    for name, (first, second) in pairs.items():
        both = [prompt for prompt in first if prompt in second]
        a, b = ([[_number(column[prompt])] for prompt in both] for column in (first, second))
        (gap,) = bootstrap.differences(np.array(a).reshape(-1, 1), np.array(b).reshape(-1, 1))
        found[name] = {"value": gap.value, "ci": None if gap.ci is None else list(gap.ci), "p": gap.p, "n": gap.n}
    tested = [name for name, entry in found.items() if entry["p"] is not None]
    corrected = dict(zip(tested, holm([found[name]["p"] for name in tested]), strict=True))
    return {name: {**entry, "p_holm": corrected.get(name)} for name, entry in found.items()}


def share_entry(part: PromptValues, whole: PromptValues, bootstrap: Bootstrap) -> Entry:
    """Mean of `part` over mean of `whole`, on the prompts that both have: {"value", "ci", "n", "reason"}.

    No interval under 20 prompts or where the resamples do not tell the whole from 0.
    """
    both = [(a, b) for prompt, a in part.items() if a is not None and (b := whole.get(prompt)) is not None]
    columns = np.array(both, np.float64).reshape(-1, 2)
    n = len(columns)
    nothing: Entry = {"value": None, "ci": None, "n": n}
    if not n or columns[:, 1].mean() == 0.0:
        return {**nothing, "reason": "there is no difference to be shared" if n else "no prompt has both"}
    value = float(columns[:, 0].mean() / columns[:, 1].mean())
    if n < MIN_PROMPTS:
        return {**nothing, "value": value, "reason": f"no interval: needs {MIN_PROMPTS} prompts, has {n}"}
    draws = bootstrap.means(columns)
    (span,) = bootstrap.intervals(columns[:, 1:])
    if span is None or span[0] <= 0.0 <= span[1]:
        return {**nothing, "value": value, "reason": "no interval: the difference cannot be told from 0"}
    interval = percentile_interval(draws[:, 0] / draws[:, 1])
    return {**nothing, "value": value, "ci": None if interval is None else list(interval), "reason": ""}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
