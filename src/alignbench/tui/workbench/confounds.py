"""What marks a column that differs from the reference though nobody studies it."""

from __future__ import annotations

from alignbench.experiments.confounds import confounds, studies
from alignbench.spec import default_context
from alignbench.tui.condition_text import SHORT
from alignbench.tui.workbench.column import Column

_NAMED = 3  # in a mark; more of them are counted


def confounds_of(column: Column, reference: Column | None) -> list[str]:
    """In what a column differs from the reference beside the likeliest study of the two, n among it.

    That a base and an aligned model each have the layout of their kind, which the audit lists, is left out here: every
    pair of them has it.
    """
    if reference is None or reference == column:
        return []
    a, b = column.condition, reference.condition
    own = all(c.context.template == default_context(c.model).template for c in (a, b))
    found = [what for what, _, _ in confounds(a, b, studies(a, b)[0]) if not (own and what == "template")]
    return [*found, *(["n"] if column.n != reference.n else [])]


def confound_mark(column: Column, reference: Column | None) -> str:
    """The same in a few cells: `≠ T, n`; empty where there is nothing."""
    found = [SHORT.get(what.replace(" ", "_"), what) for what in confounds_of(column, reference)]
    more = f" +{len(found) - _NAMED}" if len(found) > _NAMED else ""
    return f"≠ {', '.join(found[:_NAMED])}{more}" if found else ""
