"""Samples given to a base column as examples, and contexts given to columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.errors import InputError
from alignbench.spec import Example, Examples, ExampleSet, Prompt, default_context
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.changed_column import changed_words, version_words
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.context_edits import (
    composable_column,
    give_context,
    own_examples,
    own_examples_words,
    refuse_the_prompt,
    take_example,
)
from alignbench.tui.workbench.state import Bench
from tests.support.app import ALIGNED, BASE


def a_bench() -> Bench:
    bench = Bench.ready([ALIGNED, BASE], [Prompt("p", "Why?")], "set")
    bench.cell(bench.columns[0]).samples[0] = BenchSample(0, "done", "Because.")
    return bench


def test_a_sample_is_an_example_of_the_base_column_and_the_selection_stays() -> None:
    bench = a_bench()
    assert take_example(bench).startswith("Now 1 example in B demo-base.")
    examples = bench.columns[1].condition.context.examples
    assert [(item.prompt, item.response) for item in examples.pool.items] == [("Why?", "Because.")]  # type: ignore[union-attr]
    assert (bench.selected, bench.base) == (0, "demo-base")
    with pytest.raises(InputError, match="example 1 already"):
        take_example(bench)


def test_what_i_did_is_said_with_the_key_that_goes_back() -> None:
    bench = a_bench()
    bench.cell(bench.columns[1]).samples[0] = BenchSample(0, "done", "No.")
    assert take_example(bench).startswith("B is now v2; v1 is kept, <. Now 1 example in B demo-base 2.")
    bench.cell(bench.columns[1]).samples[0] = BenchSample(0, "done", "No.")
    bench.cell(bench.columns[0]).samples[0] = BenchSample(0, "done", "Otherwise.")
    assert take_example(bench).startswith("B is now v3; v2 is kept, <. Now 2 examples in B")
    bench.selected = 1
    newest = bench.columns[1]
    bench.step_version(-1)
    assert version_words(1, newest, bench.columns[1]) == "B is now v2; v3 is kept, >"
    assert changed_words(1, newest, newest) == ""


@pytest.mark.parametrize("text", ["Why?", "  WHY?\n", "why?"])
def test_an_example_that_is_the_prompt_is_known(text: str) -> None:
    bench = a_bench()
    itself, other = Example(text, "Because."), Example("What else is there to know of it?", "Much.")
    with pytest.raises(InputError, match="is the prompt itself"):
        refuse_the_prompt(bench.prompt, itself, default_context(BASE))
    refuse_the_prompt(bench.prompt, other, default_context(BASE))
    refuse_the_prompt(Prompt("", ""), itself, default_context(BASE))
    examples = Examples(ExampleSet((other, itself)))
    column = bench.columns[1]
    bench.columns[1] = Column(replace(column.condition, context=replace(default_context(BASE), examples=examples)), 5)
    assert own_examples(bench.prompt, bench.columns[1].condition.context) == [1]
    assert own_examples_words(bench) == "This prompt is an example of B: it is left out here."
    bench.ask(Prompt("q", "Something else entirely"))
    assert own_examples_words(bench) == ""


def test_what_cannot_be_an_example_is_refused() -> None:
    bench = a_bench()
    bench.cursor = 1
    with pytest.raises(InputError, match="no finished sample"):
        take_example(bench)
    bench = a_bench()
    bench.selected = 1
    bench.remove()
    with pytest.raises(InputError, match="No base column"):
        take_example(bench)
    bench = a_bench()
    bench.cell(bench.columns[1]).status = "sampling"
    with pytest.raises(InputError, match="demo-base is being sampled"):
        take_example(bench)


def test_a_context_makes_a_version_of_a_column_with_samples() -> None:
    bench = a_bench()
    column = composable_column(bench)
    assert column is bench.columns[0]
    said = give_context(bench, column, replace(default_context(ALIGNED), instruction="Be brief."))
    assert said == "A is now v2; v1 is kept, <: instruction. s samples it."
    bench.cell(bench.columns[0]).status = "sampling"
    with pytest.raises(InputError, match="being sampled"):
        composable_column(bench)
