"""`alignbench metrics`: every score, what it means and which way is more diverse."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.options import Json


def metrics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE.py:FUNCTION]...", help="Only these; a function of your own is tried out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the scores and what they mean.

    Range, direction, what they need, where they come from.
    """
    from alignbench.cli.tables import print_table
    from alignbench.metrics.registry import METRICS
    from alignbench.own_metrics.registration import register_installed, registered, unknown

    if names:
        known = registered(names)
        for name in known:
            if name not in METRICS:
                raise unknown(name)
        listed = [METRICS[name] for name in known]
    else:
        for problem in register_installed():
            printing.say(problem)
        listed = [*METRICS.values()]
    if as_json:
        for metric in listed:
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
            for metric in listed
        ],
    )
