"""`alignbench audit`: how the conditions of a session differ beside what is under study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, Json, Verbose, session_number
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from alignbench.api.auditing import AuditedCondition, SessionAudit
    from alignbench.reports.section import Section


def audit(
    session: Annotated[int, session_number()],
    condition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this condition; repeatable.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="The condition the others are compared with.", show_default="the session's own")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The prompt that is compared as models get it, and whose samples are counted.",
            show_default="the first; samples of all",
        ),
    ] = None,
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """List confounds: what differs but is not studied.

    Each condition against the reference: settings, layout, weights, lengths, samples. The models are loaded to see what
    each gets; where one cannot be, what the session has is compared.
    """
    from alignbench.api.auditing import audit_session
    from alignbench.cli.tables import print_titled
    from alignbench.engines.workers.pool import WorkerPool

    with reading(existing_database(db)) as store:
        pool = WorkerPool()
        try:
            audited = audit_session(
                store, pool, session, reference=reference, conditions=condition or (), prompt=prompt
            )
        finally:
            pool.close()
    for problem in dict.fromkeys(problem for each in audited.conditions for problem in each.problems):
        printing.say(f"prompt and weights are not compared: {problem}")
    if as_json:
        printing.json_data(_json(audited))
        return
    print_titled(section for each in audited.conditions for section in _sections(each, audited.reference))


def _sections(audited: AuditedCondition, reference: str) -> list[Section]:
    from alignbench.experiments.audit import TITLES
    from alignbench.reports.section import Section

    sections = []
    for kind in ("confound", "studied"):
        shown = tuple((row.what, row.a, row.b) for row in audited.differences if row.kind == kind)
        if shown:
            title = TITLES[kind].format(study=" and ".join(audited.study))
            sections.append(
                Section(f"{audited.condition} against {reference}. {title}", ("", audited.condition, reference), shown)
            )
    named = {
        kind: ", ".join(row.what for row in audited.differences if row.kind == kind) for kind in ("unknown", "same")
    }
    not_known = named["unknown"] or audited.problems
    if not not_known and not any(row.kind == "confound" for row in audited.differences):
        sections.insert(0, Section(f"{audited.condition} against {reference}. No difference but what is under study"))
    return [
        *sections,
        *(
            Section(f"{audited.condition} against {reference}. {TITLES[kind]}", notes=(names,))
            for kind, names in named.items()
            if names
        ),
    ]


def _json(audited: SessionAudit) -> dict[str, object]:
    return {
        "session": audited.session,
        "reference": audited.reference,
        "prompt": audited.prompt,
        "over": audited.over,
        "conditions": {
            each.condition: {
                "study": each.study,
                "differences": [
                    {"what": row.what, "condition": row.a, "reference": row.b, "kind": row.kind}
                    for row in each.differences
                ],
                "problems": each.problems,
            }
            for each in audited.conditions
        },
    }
