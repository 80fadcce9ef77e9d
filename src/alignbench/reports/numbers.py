"""Numbers as people read them: how many digits each has, in tables, in sentences and in the app."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the app's first paint does without numpy
    from alignbench.metrics.intervals import Interval
    from alignbench.metrics.metric import Metric

DIGITS = 3  # decimals of a score
LENGTH = 1  # of a number of words
COUNT = 0  # of a number of things, which has one where it is no whole number, as a mean is


def digits_of(metric: Metric | None) -> int:
    """How many decimals a score is shown with; None: what is no score counts things."""
    if metric is None or metric.is_count:
        return COUNT
    return LENGTH if metric.has_sd else DIGITS


def number(value: float, digits: int = DIGITS, *, sign: bool = False) -> str:
    """So many decimals, at most one from 10 up; without any, one where it is no whole number."""
    if digits == COUNT:
        digits = 0 if value == int(value) else 1
    elif abs(value) >= 10:
        digits = 1
    rounded = round(value, digits) + 0.0  # no negative zero
    return f"{rounded:{'+' if sign else ''}.{digits}f}"


def interval(ci: Interval, digits: int = DIGITS) -> str:
    """Both ends alike: those of a count have one decimal."""
    digits = digits or 1
    return f"[{number(ci[0], digits)}, {number(ci[1], digits)}]"


def percent(share: float) -> str:
    """A whole number of percent, halves away from 0: 43% for .425, however the share was added up."""
    if not math.isfinite(share):
        return f"{share:.0%}"
    whole = math.floor(round(abs(share) * 100, 6) + 0.5)
    return f"{-whole if share < 0 else whole}%"


def percents(ci: Interval) -> str:
    """Both ends of an interval."""
    return f"[{percent(ci[0])}, {percent(ci[1])}]"


def counted(n: int, what: str) -> str:
    """1 prompt, 2 prompts."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
