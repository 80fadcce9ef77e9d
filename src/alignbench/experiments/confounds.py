"""What may explain a difference between two conditions beside what is studied: one rule, of audit and Bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from alignbench.experiments.condition_changes import Change, changes
from alignbench.spec import Condition, LoadOptions, Sampling

Study = tuple[str, ...]

# What an investigation varies on purpose, by what it is about. All else that differs may explain what it finds.
_VARIED: Mapping[str, tuple[str, ...]] = {
    "model": ("model", "adapter", "adapter scale", "kind"),
    "context": ("template", "template text", "instruction", "examples", "hint", "prefill", "answers a reply"),
    "sampling": tuple(field.name.replace("_", " ") for field in fields(Sampling)),
    "loading": tuple(field.name.replace("_", " ") for field in fields(LoadOptions)),
}


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
