"""Whose samples a context is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from alignbench.errors import InputError
from alignbench.spec import Condition, Context

NOTHING_HELD_OUT = "its context is made from every sample of the reference that it could be compared with"

Source = tuple[str, int]  # a condition and the index of one of its samples
SourceSamples = Mapping[str, Collection[int]]  # by condition, the reference's samples that its context is made from
Sources = Callable[[str], SourceSamples]  # the same, of a prompt by its id


def no_sources(_: str) -> SourceSamples:
    """Where nothing is known of contexts."""
    return {}


def needed_conditions(context: Context, reference: str | None) -> set[str]:
    """Names of the conditions whose samples a context is made of. reference: of the session."""
    names = set()
    if (examples := context.examples) is not None:
        names.add(examples.condition)
        if examples.by_response:
            names.add(examples.teacher or examples.condition or reference or "")
    if context.hint is not None and not context.hint.text:
        names.add(context.hint.condition)
    if context.prefill is not None and not context.prefill.text:
        names.add(context.prefill.condition)
    return names - {""}


def refuse_new_name(name: str, conditions: Iterable[Condition]) -> None:
    """InputError where contexts of others name a condition: under another name they would not find its samples.

    conditions: of the session
    """
    naming = dict.fromkeys(c.name for c in conditions if c.name != name and name in _named(c.context))
    if naming:
        raise InputError(f"{name} keeps its name: the context of {', '.join(naming)} is made from its samples by it.")


def _named(context: Context) -> set[str]:
    return needed_conditions(context, None) | {condition for condition, _ in context_sources(context, None)}


def unknown_conditions(contexts: Sequence[Context], reference: str | None, known: Sequence[str]) -> list[str]:
    """Conditions that contexts are made of and that are not among those known, in order of first mention."""
    needed = [name for context in contexts for name in sorted(needed_conditions(context, reference))]
    return [name for name in dict.fromkeys(needed) if name not in known]


def context_sources(context: Context, reference: str | None) -> frozenset[Source]:
    """The samples that a context is made from for the very prompt that it surrounds. reference: of the session.

    Being similar to them is no success: the context gave away what they say, or a part of it.
    """
    examples, hint, prefill = context.examples, context.hint, context.prefill
    sources = []
    if examples is not None and examples.by_response:
        sources.append((examples.teacher or examples.condition or reference or "", examples.sample))
    if hint is not None:
        sources.append((hint.condition, hint.sample))
    if prefill is not None:
        sources.append((prefill.condition, prefill.sample))
    return frozenset(source for source in sources if source[0])


def samples_in_context(context: Context, reference: str) -> frozenset[int]:
    """The samples of the reference, by index, that a context is made from for the very prompt that it surrounds."""
    return frozenset(sample for condition, sample in context_sources(context, reference) if condition == reference)


def source_conditions(
    conditions: Iterable[Condition],
    reference: str | None,
    *,
    session_reference: str | None = None,
    made_from: Mapping[str, Collection[Source]] | None = None,
) -> dict[str, frozenset[int]]:
    """The conditions whose contexts are made from samples of the reference, with the indices of these.

    Args:
        conditions: Those of the session.
        reference: Name of the one that the others are compared with.
        session_reference: Name of the session's own, where that is another one.
        made_from: By condition, what its context is made from beside what the context says.
    """
    if reference is None:
        return {}
    more = made_from or {}
    sources = {
        c.name: context_sources(c.context, session_reference or reference) | frozenset(more.get(c.name, ()))
        for c in conditions
    }
    behind = {name: _samples_behind(name, reference, sources) for name in sources if name != reference}
    return {name: samples for name, samples in behind.items() if samples}


def _samples_behind(condition: str, reference: str, sources: Mapping[str, frozenset[Source]]) -> frozenset[int]:
    """The samples of the reference that a condition's context is made from, be it by way of other conditions: a hint
    about a response to a hint tells of what that hint tells of.

    sources: by condition, what its context is made from.
    """
    samples, seen, waiting = set(), {condition}, [condition]
    while waiting:
        for name, sample in sources.get(waiting.pop(), frozenset()):
            if name == reference:
                samples.add(sample)
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(samples)
