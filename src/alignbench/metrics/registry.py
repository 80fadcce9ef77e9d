"""Every score by name: what it means, its range and direction, where it comes from, what it needs."""

from __future__ import annotations

from alignbench.errors import InputError, did_you_mean
from alignbench.metrics.catalogue import METRICS
from alignbench.metrics.metric import Direction, Metric, Need, Scope

__all__ = [
    "CROSS",
    "DEFAULT",
    "LIVE",
    "METRICS",
    "WITHIN",
    "Direction",
    "Metric",
    "Need",
    "Scope",
    "cross",
    "metric",
    "within",
]

DEFAULT = ("words", "jaccard", "distinct_2", "embedding_diversity", "embedding_similarity")
"""What a scoreboard runs where nothing else is asked for."""
LIVE = tuple(name for name, metric in METRICS.items() if metric.live)


def within(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these scores that are of one set."""
    return tuple(name for name in names if "within" in METRICS[name].scope)


def cross(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these scores that are of two sets."""
    return tuple(name for name in names if "cross" in METRICS[name].scope)


WITHIN = within(DEFAULT)
CROSS = cross(DEFAULT)


def metric(name: str) -> Metric:
    """The score of this name; InputError with the nearest names where there is none."""
    try:
        return METRICS[name]
    except KeyError:
        raise InputError(f"There is no score named {name!r}. {did_you_mean(name, METRICS)}".rstrip()) from None
