"""Whose samples a context is made of."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.spec import Context


def needed_conditions(context: Context, reference: str | None) -> set[str]:
    """Names of the conditions whose samples a context is made of. reference: of the session."""
    names = set()
    if (examples := context.examples) is not None:
        names.add(examples.condition)
        if examples.by_response:
            names.add(examples.teacher or examples.condition or reference or "")
    if context.hint is not None:
        names.add(context.hint.condition)
    if context.prefill is not None:
        names.add(context.prefill.condition)
    return names - {""}


def unknown_conditions(contexts: Sequence[Context], reference: str | None, known: Sequence[str]) -> list[str]:
    """Conditions that contexts are made of and that are not among those known, in order of first mention."""
    needed = [name for context in contexts for name in sorted(needed_conditions(context, reference))]
    return [name for name in dict.fromkeys(needed) if name not in known]


def samples_in_context(context: Context, reference: str) -> frozenset[int]:
    """The samples of the reference, by index, that a context is made from for the very prompt that it surrounds.

    Being similar to them is no success: the context gave away what they say, or a part of it.
    """
    examples, hint, prefill = context.examples, context.hint, context.prefill
    samples = set()
    teacher = (examples.teacher or examples.condition or reference) if examples is not None else ""
    if examples is not None and examples.by_response and teacher == reference:
        samples.add(examples.sample)
    if hint is not None and hint.condition == reference:
        samples.add(hint.sample)
    if prefill is not None and prefill.condition == reference:
        samples.add(prefill.sample)
    return frozenset(samples)
