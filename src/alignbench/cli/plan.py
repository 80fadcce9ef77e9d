"""`alignbench plan`: the prompts and samples that a comparison needs, from a session that serves as a pilot."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench import bounds
from alignbench.cli import completion, printing
from alignbench.cli.options import Db, Json, number, session_number


def plan(
    session: Annotated[int, session_number(help="The session that serves as a pilot.")],
    effect: Annotated[
        float, number(bounds.EFFECT, "--effect", metavar="DIFFERENCE", help="To be found, in the units of the score.")
    ],
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Names with commas between.",
            show_default="jaccard, and embedding_diversity where vectors are kept",
            autocompletion=completion.metrics,
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="The condition the others are compared with.", show_default="the session's own"),
    ] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Plan prompts and samples from a pilot session.

    How many it takes to find a difference between conditions.
    """
    from alignbench.api.planning import plan_comparisons
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.tables import print_sections
    from alignbench.reports.plan_section import plan_remarks, plan_section
    from alignbench.reports.to_json import plan_json

    with ProgressBar() as bar:
        planned = plan_comparisons(session, effect, metrics=metrics, reference=reference, db=db, progress=bar)
    if as_json:
        printing.json_data(plan_json(planned))
        return
    print_sections([plan_section(planned)])
    for line in plan_remarks(planned):
        printing.say(line)
