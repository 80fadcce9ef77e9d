"""`alignbench metrics`: every score, what it means and which way is more diverse."""

from __future__ import annotations

from alignbench.cli import printing
from alignbench.cli.options import Json


def metrics(as_json: Json = False) -> None:
    """List the scores and what they mean.

    Range, direction, what they need, where they come from.
    """
    from alignbench.cli.tables import print_table
    from alignbench.metrics.registry import METRICS

    if as_json:
        for metric in METRICS.values():
            printing.json_data(metric.described())
        return
    print_table(
        ["name", "of", "range", "more diverse", "needs", "from", "meaning", "source"],
        [
            [
                metric.name,
                " and ".join("two sets" if scope == "cross" else "one set" for scope in metric.scope),
                metric.range,
                metric.more_diverse or "-",
                ", ".join(metric.needs),
                f"n = {metric.min_samples}",
                metric.meaning,
                metric.source,
            ]
            for metric in METRICS.values()
        ],
    )
