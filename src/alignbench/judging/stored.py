"""Stored judgments whose fields are those of their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

from alignbench.store import JudgmentRow, Store


def readable_judgments(
    store: Store, session: int, *, kind: str | None = None, judge: str | None = None
) -> Iterator[JudgmentRow]:
    """As `Store.judgments`, without valid ones that lack a field or have one of another type."""
    for row in store.judgments(session, kind=kind, judge=judge):
        try:
            if row.judgment.status == "valid":
                check_fields(row.judgment.kind, row.judgment.fields)
        except (LookupError, TypeError) as error:
            store.leave_out(f"judgment {row.id} of session {session}", error)
        else:
            yield row


def check_fields(kind: str, fields: Mapping[str, Any]) -> None:
    """LookupError or TypeError where a field is missing or of another type."""
    match kind:
        case "quality" | "new-information":
            _expect(fields, (int, float, NoneType), *fields.values())
        case "stance":
            _expect(fields, str, fields["stance"])
        case "preference":
            _expect(fields, str, fields["preferred"])
        case "tag":
            _expect(fields, str, fields["tag"])
        case "equivalence":
            _expect(fields, bool, fields["same"])
        case "option":
            _expect(fields, (str, NoneType), fields["option"])
            _expect(fields, bool, fields["refusal"])
        case "constraints":
            _expect(fields, bool, fields["satisfied"][0], *fields["satisfied"])
        case "topics":
            _expect(fields, str, *(topic["in"] for topic in fields["topics"]))
        case "set-topics":
            _expect(fields, str, *(topic for topics in fields["topics"] for topic in topics))
        case _:  # of a template of one's own
            _expect(fields, (int, float, str, NoneType), *fields.values())


def _expect(fields: Mapping[str, Any], kinds: type | tuple[type, ...], *values: object) -> None:
    if not all(isinstance(value, kinds) for value in values):
        raise TypeError(f"fields are {dict(fields)!r}")
