"""`alignbench label`: a person says of pairs of samples which is better, or gives them tags, without seeing whose they
are."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench import bounds
from alignbench.cli.options import Db, number, session_number
from alignbench.paths import existing_database


def label(
    session: Annotated[int, session_number()],
    tags: Annotated[
        str | None, typer.Option(metavar="TAG,TAG,...", help="Give each pair one of these, not a preference.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="The condition the others are paired with.", show_default="the session's own")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only pairs of this one; repeatable.")
    ] = None,
    labeller: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who labels.", show_default="your user name")
    ] = None,
    seed: Annotated[
        int, number(bounds.SEED, "--seed", help="Of the order of pairs, and of which sample is shown first.")
    ] = 0,
    db: Db = None,
) -> None:
    """Label pairs of samples, their origin hidden.

    They are shown in the app. The same command again goes on with those that are left.
    """
    from alignbench.judging.labels import plan_labels, user_name
    from alignbench.store import Store
    from alignbench.tui import run_app

    path = existing_database(db)
    wanted = tags.split(",") if tags is not None else ()
    with Store.open(path) as store:
        plan = plan_labels(
            store,
            session,
            reference=reference,
            conditions=condition or (),
            tags=wanted,
            seed=seed,
            labeller=user_name() if labeller is None else labeller,
        )
    run_app(path, session, plan)
