"""Edits of contexts: of their examples, and of the column on the Bench that has one.

Every edit gives a new value; a pool that was edited has no name any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alignbench.errors import InputError
from alignbench.experiments.condition_changes import context_words
from alignbench.spec import Context, Example, Examples, ExampleSet, Prompt
from alignbench.tui.workbench.changed_column import version_words
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.state import Bench


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


def composable_column(bench: Bench) -> Column | None:
    """The selected column, where a context can be made for it. InputError says why it cannot."""
    if (column := bench.idle_column()) is None:
        return None
    if column.condition.model.is_imported:
        raise InputError(f"The responses of {column.name} were imported: no context can be put before them.")
    if not bench.prompt.text.strip():
        raise InputError("The prompt is empty. e writes one, F2 picks one.")
    return column


def give_context(bench: Bench, column: Column, context: Context) -> str:
    """Put the column under this context; its samples without it stay, as a version. What there is to say about it."""
    bench.change(column, Column(replace(column.condition, context=context), column.n))
    at = bench.selected
    who = version_words(at, column, bench.columns[at]) or f"{letter(at)} {bench.columns[at].name}"
    return f"{who}: {context_words(context)}. s samples it."


def take_example(bench: Bench) -> str:
    """Add the selected sample, with its prompt, to the examples of the base column; what there is to say about it.

    InputError where there is no such sample or column, or where no example can be added.
    """
    sample, target = bench.sample, bench.base_column
    if sample is None or sample.status != "done" or not sample.text.strip():
        raise InputError("There is no finished sample here to take as an example: F5 draws some.")
    if target is None:
        raise InputError("No base column is there to take the example; a adds one.")
    if bench.cell(target).busy:
        raise InputError(f"{target.name} is being sampled; Esc stops it.")
    context = with_example(target.condition.context, Example(bench.prompt.text, sample.text))
    selected = bench.selected
    bench.change(target, Column(replace(target.condition, context=context), target.n))
    at, bench.selected = bench.selected, selected
    now = bench.columns[at]
    bench.base = now.name
    kept = version_words(at, target, now)
    said = f"{kept}. " if kept else ""
    there = f"Now {context_words(context)} in {letter(at)} {now.name}."
    return f"{said}{there} Before its own prompt it is left out. F4 edits, s samples that column."


def is_the_prompt(prompt: Prompt, example: Example, context: Context) -> bool:
    """Whether an example is this very prompt, or as near to it as selections leave out."""
    from alignbench.contexts.selection import is_near_duplicate

    near = (context.examples or Examples()).near_duplicate
    return bool(prompt.text.strip()) and is_near_duplicate(prompt.text, example, near)


def refuse_the_prompt(prompt: Prompt, example: Example, context: Context) -> None:
    """InputError where an example is the prompt that it would be given to."""
    if is_the_prompt(prompt, example, context):
        raise InputError("This example is the prompt itself: it would give the answer away. Write another one.")


def own_examples(prompt: Prompt, context: Context) -> list[int]:
    """The places, from 0, of the examples of a set that are this prompt."""
    examples = context.examples
    items = examples.pool.items if examples is not None else ()
    return [i for i, item in enumerate(items) if is_the_prompt(prompt, item, context)]


def own_examples_words(bench: Bench) -> str:
    """Which columns have the prompt on the Bench among their examples; empty where none has."""
    theirs = [letter(at) for at, c in enumerate(bench.columns) if own_examples(bench.prompt, c.condition.context)]
    return f"This prompt is an example of {', '.join(theirs)}: it is left out here." if theirs else ""
