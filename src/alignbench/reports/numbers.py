"""Numbers as people read them."""

from __future__ import annotations

from alignbench.metrics.intervals import Interval


def number(value: float, digits: int = 3, *, sign: bool = False) -> str:
    """So many decimals, one from 10 up."""
    plus = "+" if sign else ""
    return f"{value:{plus}.1f}" if abs(value) >= 10 else f"{value:{plus}.{digits}f}"


def interval(ci: Interval, digits: int = 3) -> str:
    return f"[{number(ci[0], digits)}, {number(ci[1], digits)}]"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
