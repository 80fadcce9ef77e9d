"""Samples given to a base column as examples, and contexts given to columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.errors import InputError
from alignbench.spec import Prompt, default_context
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.context_edits import composable_column, give_context, take_example
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
    assert said == "demo-aligned 2: instruction; demo-aligned stays, < goes back. s samples it."
    bench.cell(bench.columns[0]).status = "sampling"
    with pytest.raises(InputError, match="being sampled"):
        composable_column(bench)
