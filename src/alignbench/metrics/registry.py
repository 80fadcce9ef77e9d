"""Every score by name. A module of this package that defines scores lists them as `METRICS`; they are found there."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence
from importlib import import_module

from alignbench import metrics
from alignbench.errors import InputError, did_you_mean
from alignbench.metrics.metric import Metric

_CELLS = ("cell", "counted_cell", "running_cell")  # they look scores up here
_SELF = __name__.rpartition(".")[2]


def discovered() -> Iterator[Metric]:
    """The scores that the modules of this package list."""
    for module in pkgutil.iter_modules(metrics.__path__):
        if module.name not in (*_CELLS, _SELF):
            yield from getattr(import_module(f"{metrics.__name__}.{module.name}"), "METRICS", ())


# Threads look through it while another one adds a score of a user: they take a list of it first.
METRICS: dict[str, Metric] = {
    metric.name: metric for metric in sorted(discovered(), key=lambda metric: (metric.order, metric.name))
}


def runnable() -> tuple[str, ...]:
    """The scores that cells can run: the live ones, and those that a user has written."""
    return tuple(name for name, metric in [*METRICS.items()] if metric.live or metric.runs_outside)


def live() -> tuple[str, ...]:
    """The scores that cells can run while samples arrive."""
    return tuple(name for name, metric in [*METRICS.items()] if metric.live)


def shipped() -> tuple[str, ...]:
    """The scores that no user has written: what `all` means."""
    return tuple(name for name, metric in [*METRICS.items()] if not metric.origin)


def within(names: Sequence[str]) -> tuple[str, ...]:
    """Those of these scores that are of one set."""
    return tuple(name for name in names if "within" in METRICS[name].scope)


def cross(names: Sequence[str]) -> tuple[str, ...]:
    """Those of these scores that are of two sets."""
    return tuple(name for name in names if "cross" in METRICS[name].scope)


DEFAULT = tuple(name for name, metric in METRICS.items() if metric.default)
"""What runs where nothing else is asked for."""
WITHIN = within(DEFAULT)
CROSS = cross(DEFAULT)


def metric(name: str) -> Metric:
    """The score of this name; InputError with the nearest names where there is none."""
    try:
        return METRICS[name]
    except KeyError:
        raise InputError(f"There is no score named {name!r}. {did_you_mean(name, METRICS)}".rstrip()) from None
