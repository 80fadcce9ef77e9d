"""`alignbench versions`: what the columns of a session have been, and how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, Json, session_number
from alignbench.errors import InputError
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.experiments.versions import Version
    from alignbench.scoring.score_tables import CrossEstimate

SIMILARITY = "jaccard"  # the one that needs no model


def versions(
    session: Annotated[int, session_number()],
    compare: Annotated[
        list[str] | None,
        typer.Option(
            "--compare",
            metavar="VERSION",
            help="How two differ, and how similar each is to the reference: a condition's name, or COLUMN:NUMBER. "
            "Give it twice.",
        ),
    ] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """List the versions of columns, or compare two.

    A changed column of the app keeps what it was as a version with its samples; a session of the command line has one
    version of each condition. `alignbench score` has the scores of all of them by their names.
    """
    from alignbench.experiments.versions import session_versions, version_named

    if compare and len(compare) != 2:
        raise InputError(f"--compare is given {len(compare)} times; expected two versions.")
    with reading(existing_database(db)) as store:
        store.session(session)
        known = session_versions(store, session)
    if compare:
        before, after = (version_named(known, name) for name in compare)
        _compare(before, after, _similarities(session, before, after, db), as_json)
    else:
        _list(known, as_json)


def _list(versions: list[Version], as_json: bool) -> None:
    from alignbench.cli.tables import print_table
    from alignbench.experiments.condition_changes import context_words

    if as_json:
        for each in versions:
            printing.json_data(_json(each))
        return
    print_table(
        ("column", "version", "condition", "context", "samples", ""),
        [
            (
                each.column,
                str(each.number),
                each.condition.name,
                context_words(each.condition.context),
                str(each.samples),
                "now" if each.current else "",
            )
            for each in versions
        ],
    )


def _similarities(
    session: int, before: Version, after: Version, db: Path | None
) -> tuple[str, tuple[CrossEstimate, CrossEstimate]] | None:
    """The reference of the session, and the lexical similarity of both to it; None where one has none."""
    from alignbench.api.scoring import run_scoring, scoring_job

    if not (before.samples and after.samples):
        return None
    scored = run_scoring(scoring_job(session, metrics=SIMILARITY, embedder="none"), db)
    both = [scored.tables.cross.get(each.condition.name, {}).get(SIMILARITY) for each in (before, after)]
    if scored.reference is None or both[0] is None or both[1] is None:
        return None
    return scored.reference, (both[0], both[1])


def _compare(
    before: Version,
    after: Version,
    similarities: tuple[str, tuple[CrossEstimate, CrossEstimate]] | None,
    as_json: bool,
) -> None:
    from alignbench.cli.tables import print_table
    from alignbench.experiments.condition_changes import changes

    differing = changes(before.condition, after.condition)
    if as_json:
        found = [{"what": what, "before": old, "after": new} for what, old, new in differing]
        scores: dict[str, object] = {}
        if similarities is not None:
            reference, (old_score, new_score) = similarities
            scores[SIMILARITY] = {"reference": reference, "before": old_score.value, "after": new_score.value}
        printing.json_data({"before": _json(before), "after": _json(after), "differences": found, "scores": scores})
        return
    rows = [*differing]
    if similarities is not None:
        from alignbench.reports.section import shown_value

        reference, both = similarities
        rows.append((f"{SIMILARITY} to {reference}", shown_value(both[0]), shown_value(both[1])))
    if not differing:
        printing.say(f"{before.condition.name} and {after.condition.name} have the same settings.")
    if rows:
        print_table(("", before.condition.name, after.condition.name), rows)


def _json(version: Version) -> dict[str, object]:
    return {
        "column": version.column,
        "version": version.number,
        "condition": version.condition.name,
        "hash": version.condition.hash,
        "current": version.current,
        "samples": version.samples,
    }
