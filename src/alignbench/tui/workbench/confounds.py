"""What may explain a difference between two columns beside what is studied: one rule, of the audit and of the Bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from alignbench.spec import Condition, LoadOptions, Sampling, default_context
from alignbench.tui.condition_text import SHORT, changes
from alignbench.tui.workbench.column import Column

Study = tuple[str, ...]
Change = tuple[str, str, str]  # what, and how either side has it

# What an investigation varies on purpose, by what it is about. All else that differs may explain what it finds.
_VARIED: Mapping[str, tuple[str, ...]] = {
    "model": ("model", "adapter", "adapter scale", "kind"),
    "context": ("template", "template text", "instruction", "examples", "hint", "prefill", "answers a reply"),
    "sampling": tuple(field.name.replace("_", " ") for field in fields(Sampling)),
    "loading": tuple(field.name.replace("_", " ") for field in fields(LoadOptions)),
}
_NAMED = 3  # in a mark; more of them are counted


def studies(a: Condition, b: Condition) -> list[Study]:
    """What a comparison of two conditions may be about, the likeliest first: model, context, sampling or loading.

    Between two models without a context it is the models, and a layout of their own is a confound; with a context, that
    is under study too. Of one model it is the context, else sampling, else how the weights are loaded.
    """
    differing = {what for what, _, _ in changes(a, b)}
    alone: list[Study] = [(about,) for about, whats in _VARIED.items() if differing.intersection(whats)]
    both = ("model", "context")
    if all((about,) in alone for about in both):
        bare = a.context.zero_shot and b.context.zero_shot
        alone.insert(1 if bare else 0, both)
    return alone or [()]


def is_studied(what: str, study: Study) -> bool:
    """Whether a study varies this on purpose."""
    return any(what in _VARIED[about] for about in study)


def confounds(a: Condition, b: Condition, study: Study) -> list[Change]:
    """What two conditions differ in though the study is not about it."""
    return [change for change in changes(a, b) if not is_studied(change[0], study)]


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
