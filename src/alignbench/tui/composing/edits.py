"""Edits of the examples of a context. Every edit gives a new value; a pool that was edited has no name any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from alignbench.errors import InputError
from alignbench.spec import Context, Draw, Example, Examples, ExampleSet, Order, Overflow, Select

CHOICES: Mapping[str, tuple[str, ...]] = {
    "select": get_args(Select),
    "order": get_args(Order),
    "draw": get_args(Draw),
    "template": ("plain", "chat"),
    "overflow": get_args(Overflow),
}


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


def stepped(context: Context, field: str, by: int) -> Context:
    """The next choice of a field, or a number one higher or lower."""
    if field in ("template", "overflow"):
        chosen: dict[str, Any] = {field: _next(CHOICES[field], getattr(context, field), by)}
        return replace(context, **chosen)
    examples = context.examples
    if examples is None:
        raise InputError("There are no examples yet; F2 picks a set, a writes one.")
    if field in ("k", "seed"):
        value = getattr(examples, field)
        if field == "k" and value is None:
            value = len(examples.pool.items) + (1 if by < 0 else 0)
        return with_number(context, field, value + by)
    values = CHOICES[field]
    if field == "order" and not examples.select.startswith("nearest"):
        values = tuple(value for value in values if value != "similar-last")
    changed: dict[str, Any] = {field: _next(values, getattr(examples, field), by)}
    return replace(context, examples=_consistent(replace(examples, **changed)))


def with_number(context: Context, field: str, value: int) -> Context:
    """k or seed of the selection; k over the size of a fixed list is all of it."""
    examples = context.examples
    if examples is None:
        raise InputError("There are no examples yet; F2 picks a set, a writes one.")
    n = len(examples.pool.items)
    if field == "seed":
        return replace(context, examples=replace(examples, seed=max(0, value)))
    k: int | None = max(1, min(value, n) if n else value)
    if examples.select == "fixed" and n and value > n:
        k = None
    return replace(context, examples=replace(examples, k=k))


def _consistent(examples: Examples) -> Examples:
    """Without what a method of selection has no use for: it would only change the condition's hash."""
    changed: dict[str, Any] = {}
    nearest = examples.select.startswith("nearest")
    if examples.select != "fixed" and examples.k is None:
        changed["k"] = min(3, len(examples.pool.items)) or 3
    if not nearest:
        changed |= {"mmr": None, "embedder": ""}
        if examples.order == "similar-last":
            changed["order"] = "given"
    if examples.select != "random":
        changed["draw"] = "prompt"
    if examples.select != "nearest-response":
        changed["teacher"] = ""
    return replace(examples, **changed)


def fields_of(context: Context) -> list[str]:
    """The fields that matter for a context as it is, in the order in which they are shown."""
    examples = context.examples
    names = ["set"]
    if examples is not None:
        names += ["select", "k"]
        if examples.select == "random":
            names.append("draw")
        if examples.select == "random" or examples.order == "shuffled":
            names.append("seed")
        names.append("order")
    return [*names, "template", "instruction", "overflow"]


def _next(values: Sequence[str], value: str, by: int) -> str:
    at = values.index(value) if value in values else -by
    return values[(at + by) % len(values)]


def _least(examples: Examples, pool: ExampleSet) -> int | None:
    return None if examples.select == "fixed" else min(3, len(pool.items))
