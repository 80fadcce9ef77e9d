"""Writes the tables of docs/scores.md from what the scores are registered with: `python tools/score_table.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from alignbench.metrics.metric import Metric
from alignbench.metrics.registry import METRICS

PAGE = Path(__file__).parents[1] / "docs" / "scores.md"
HEAD = "| score | what it means | range | more diverse | from |\n|---|---|---|---|---|\n"
TABLE = re.compile(r"^\| score \|.*\n(?:\|.*\n)+", re.MULTILINE)


def table(metrics: Iterable[Metric]) -> str:
    return HEAD + "".join(map(row, metrics))


def row(metric: Metric) -> str:
    cells = (
        f"{metric.title} (`{metric.name}`)" if metric.title != metric.name else f"`{metric.name}`",
        metric.meaning,
        metric.range,
        metric.more_diverse or "–",
        metric.source,
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def page(text: str) -> str:
    """The page with its tables as they should be: the scores, then those that a judge has a part in."""
    judged = [metric for metric in METRICS.values() if "judge" in metric.needs]
    tables = iter((table(metric for metric in METRICS.values() if metric not in judged), table(judged)))
    return TABLE.sub(lambda _: next(tables), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
