"""What tables of a report are made of: titled rows of texts, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.findings import interval, number, p_value

Entry = Mapping[str, Any]

_ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}  # which way is more diverse


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title; notes stand below it. Without columns it is notes alone."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> Iterator[tuple[str, ...]]:
        """The rows, one with cells of two lines as two."""
        for row in self.rows:
            yield from zip_longest(*(cell.split("\n") for cell in row), fillvalue="")


def metric_title(metric: str) -> str:
    """What a score is called, with an arrow to where it is more diverse."""
    known = METRICS.get(metric)
    return metric if known is None else known.title + _ARROWS[known.more_diverse]


def shown_value(entry: Entry) -> str:
    """The value with its interval, or a dash and why there is none."""
    value = entry.get("value")
    if value is None:
        return f"- ({entry['reason']})" if entry.get("reason") else "-"
    text = number(value)
    if entry.get("ci") is not None:
        text += f" {interval(entry['ci'])}"
    return f"{text} sd {entry['sd']:.1f}" if entry.get("sd") is not None else text


def shown_difference(difference: Entry | None) -> str:
    """The difference with its interval and corrected p, starred where that is 0.05 or less; empty without one."""
    if difference is None or difference["value"] is None:
        return ""
    text = number(difference["value"], sign=True)
    if difference["ci"] is not None:
        text += f" {interval(difference['ci'])}"
    p = difference.get("p_holm") if difference["n"] >= MIN_PROMPTS else None
    return text if p is None else f"{text} {p_value(p)}{' *' if p <= 0.05 else ''}"


def shown_recovery(entry: Entry) -> str:
    """The recovery with its interval, or a dash and why there is none."""
    if entry["recovery"] is None:
        return f"- ({entry['recovery_reason']})" if entry["recovery_reason"] else "-"
    text = f"{entry['recovery']:.0%}"
    if entry["recovery_ci"] is not None:
        low, high = entry["recovery_ci"]
        text += f" [{low:.0%}, {high:.0%}]"
    return f"{text} !" if entry["warning"] else text


def shown_number(value: float | None) -> str:
    """Three decimals, one from 10 up, or a dash."""
    return "-" if value is None else number(value)
