"""The parts that results as JSON are made of: a mean, a difference, an interval. Every key here is public."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import Interval
from alignbench.metrics.statistics import PairedDifference

JsonObject = dict[str, Any]

ESTIMATE_KEYS = ("value", "ci", "n", "reason")


def estimate_json(estimate: Estimate) -> JsonObject:
    """{"value", "ci", "n", "reason"}."""
    return {"value": estimate.value, "ci": ends_json(estimate.ci), "n": estimate.n, "reason": estimate.reason}


def curve_json(points: Sequence[Estimate]) -> list[JsonObject]:
    """[{"k", "value", "ci", "n", "reason"}] for k = 1, 2, ..."""
    return [{"k": k, **estimate_json(point)} for k, point in enumerate(points, start=1)]


def change_json(difference: PairedDifference) -> JsonObject:
    """In the order in which the keys of a gate's differences always stood."""
    record = difference_json(difference)
    return {**{key: record[key] for key in ("value", "ci", "p", "n")}, "p_holm": record["p_holm"]}


def difference_json(difference: PairedDifference) -> JsonObject:
    """{"value", "ci", "p", "p_holm", "n"}."""
    return {
        "value": difference.value,
        "ci": ends_json(difference.ci),
        "p": difference.p,
        "p_holm": difference.p_holm,
        "n": difference.n,
    }


def ends_json(interval: Interval | None) -> list[float] | None:
    """[low, high]."""
    return None if interval is None else [*interval]
