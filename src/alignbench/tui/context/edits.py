"""Edits of the examples of a context. Every edit gives a new value; a pool that was edited has no name any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alignbench.errors import InputError
from alignbench.spec import Context, Example, Examples, ExampleSet


def with_pool(context: Context, pool: ExampleSet) -> Context:
    """Examples from another set; one without examples takes them away."""
    if not pool.items:
        return replace(context, examples=None)
    before = context.examples or Examples()
    k = before.k if before.k is not None and before.k <= len(pool.items) else _least(before, pool)
    return replace(context, examples=replace(before, pool=pool, condition="", k=k))


def with_items(context: Context, items: Sequence[Example]) -> Context:
    """The same pool with other items: edited, moved, dropped or added ones."""
    own = context.examples.pool if context.examples is not None else ExampleSet()
    pool = own if tuple(items) == own.items else ExampleSet(tuple(items))
    examples = context.examples
    if examples is not None and examples.select == "fixed" and examples.k == len(own.items):
        context = replace(context, examples=replace(examples, k=None))
    return with_pool(context, pool)


def with_example(context: Context, example: Example) -> Context:
    """One more example at the end. Raises InputError where it is there already, or where no set can take it."""
    examples = context.examples
    if examples is not None and examples.condition:
        raise InputError(f"The examples are the samples of {examples.condition}; F4 picks a set that can be added to.")
    items = examples.pool.items if examples is not None else ()
    if example in items:
        raise InputError(f"This sample is example {items.index(example) + 1} already.")
    return with_items(context, (*items, example))


def moved(items: Sequence[Example], at: int, by: int) -> tuple[Example, ...]:
    """The item at a place moved by some places, within the list."""
    rest = [*items[:at], *items[at + 1 :]]
    rest.insert(max(0, min(len(rest), at + by)), items[at])
    return tuple(rest)


def _least(examples: Examples, pool: ExampleSet) -> int | None:
    return None if examples.select == "fixed" else min(3, len(pool.items))
