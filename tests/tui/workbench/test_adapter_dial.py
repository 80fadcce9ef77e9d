"""The dial of a column as plain values: steps of a scale, names, and what is undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.errors import InputError
from alignbench.models.catalog import resolve
from alignbench.spec import Condition, Model, Prompt
from alignbench.tui.workbench.adapter_dial import next_scale, turned
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.state import Bench
from tests.support.app import ALIGNED, BASE

PROMPTS = [Prompt("p", "question", "set")]


def column(model: Model = ALIGNED, name: str = "") -> Column:
    return Column(Condition.zero_shot(model, **({"name": name} if name else {})))


def test_steps() -> None:
    up = [0.0]
    while up[-1] < 1.25:
        up.append(next_scale(up[-1], 1))
    assert up == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert [next_scale(scale, -1) for scale in up[1:]] == up[:-1]
    assert [next_scale(0.6, by) for by in (-1, 1)] == [0.5, 0.75]
    assert [next_scale(2, -1), next_scale(-1, 1)] == [1.25, 0]
    for scale, by, words in ((1.25, 1, "up to 1.25"), (3, 1, "is 3"), (0, -1, "down to 0"), (-2, -1, "is -2")):
        with pytest.raises(InputError, match=words):
            next_scale(scale, by)


@pytest.mark.parametrize(
    ("written", "name", "down"),
    [
        ("demo-sft", "", "demo-sft*0.75"),
        ("demo-aligned*0.5", "", "demo-aligned*0.25"),
        ("demo-sft*0.25", "", "demo-sft*0"),
        ("demo-sft*1.25", "", "demo-sft"),
        ("demo-sft", "demo-sft + summary", "demo-sft*0.75 + summary"),
        ("demo-sft*0.5", "demo-sft*0.5 2", "demo-sft*0.25"),
        ("demo-sft", "tuned", "tuned*0.75"),
        ("demo-sft*0.75", "tuned*0.75", "tuned*0.5"),
        ("demo-sft*1.25", "tuned*1.25", "tuned"),
    ],
)
def test_a_column_that_is_turned_says_so_in_its_name(written: str, name: str, down: str) -> None:
    before = column(resolve(written), name)
    after = turned(before, -1)
    assert after.name == down
    assert after.condition.model == resolve(after.condition.model.name)
    assert replace(after.condition, name="", model=ALIGNED) == replace(before.condition, name="", model=ALIGNED)
    assert turned(after, 1).condition.model == before.condition.model


def test_a_column_without_an_adapter_has_no_dial() -> None:
    imported = Model("theirs", "imported:a+b", "aligned")
    for model in (BASE, imported):
        with pytest.raises(InputError, match=f"{model.name} has no adapter, so there is no scale to turn"):
            turned(column(model), 1)


def test_steps_without_samples_leave_no_versions_and_those_with_samples_do() -> None:
    bench = Bench.ready([ALIGNED, BASE], PROMPTS, "set")
    for _ in range(2):
        bench.change(bench.columns[0], turned(bench.columns[0], -1))
    assert (bench.columns[0].name, len(bench.columns[0].history)) == ("demo-aligned*0.5", 1)
    assert bench.reference == "demo-aligned*0.5"
    bench.cell(bench.columns[0]).samples[0] = BenchSample(0, "done")
    bench.change(bench.columns[0], turned(bench.columns[0], 1))
    bench.change(bench.columns[0], turned(bench.columns[0], 1))
    assert [each.name for each in bench.columns[0].history] == ["demo-aligned*0.5", "demo-aligned"]
    bench.change(bench.columns[0], turned(turned(bench.columns[0], -1), -1))
    assert (bench.columns[0].name, bench.columns[0].version) == ("demo-aligned*0.5", 0)


def test_a_change_that_is_undone_leaves_no_trace() -> None:
    bench = Bench.ready([ALIGNED, BASE], PROMPTS, "set")
    bench.cell(bench.columns[0]).samples[0] = BenchSample(0, "done")
    before, used = list(bench.columns), dict(bench.used)
    bench.change(before[0], turned(before[0], -1))
    assert len(bench.columns[0].versions) == 2
    bench.change_back(bench.columns[0], before[0])
    assert (bench.columns, bench.used, bench.reference) == (before, used, "demo-aligned")


def test_what_was_sampled_since_stays_as_a_version() -> None:
    bench = Bench.ready([ALIGNED, BASE], PROMPTS, "set")
    before = bench.columns[0]
    bench.change(before, turned(before, -1))
    now = bench.columns[0]
    bench.cell(now).samples[0] = BenchSample(0, "done")
    bench.change_back(now, before)
    assert [each.name for each in bench.columns[0].history] == ["demo-aligned*0.75", "demo-aligned"]
    assert bench.columns[0].hash == before.hash


def test_what_cannot_be_undone_any_more_says_so() -> None:
    bench = Bench.ready([ALIGNED, BASE], PROMPTS, "set")
    before = bench.columns[0]
    bench.change(before, turned(before, -1))
    now = bench.columns[0]
    bench.add(Column(before.condition))
    with pytest.raises(InputError, match="demo-aligned is on the Bench already"):
        bench.change_back(now, before)
    bench.remove()
    bench.change(now, replace(now, n=9))
    with pytest.raises(InputError, match="is not on the Bench as it was"):
        bench.change_back(now, before)
