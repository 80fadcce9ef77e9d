"""How far runs are, and how long sampling has been going on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.plan import Plan, PlannedCell, make_plan
from alignbench.experiments.runner import CellDone, CellFailed, CellStarted, SampleStored
from alignbench.spec import Condition, Prompt, default_context
from alignbench.store import SampleRow, Store
from alignbench.tui.text import about
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.draw_progress import DrawProgress, RunsUnderWay, SamplingClock
from alignbench.tui.workbench.state import Bench
from tests.support.app import ALIGNED, BASE
from tests.support.fakes import FakePool


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Plan, SampleRow]:
    """Two models, three prompts, two samples; and a row of one of them."""
    conditions = [Condition(model.name, model, default_context(model)) for model in (ALIGNED, BASE)]
    with Store.open(tmp_path / "x.db") as store:
        plan = make_plan(store, store.create_session("s"), [Prompt(f"p{i}", f"{i}?") for i in range(3)], conditions, 2)
        return plan, store.add_text(plan.cells[0].id, 0, "Tea.", raw_text="Tea.", finish_reason="stop")


def stored(cell: PlannedCell, row: SampleRow, status: str = "done") -> SampleStored:
    return SampleStored(cell, replace(row, status=status))  # type: ignore[arg-type]


def test_a_run_tells_cells_and_the_time_that_its_slowest_model_needs(planned: tuple[Plan, SampleRow]) -> None:
    (plan, row), now = planned, Time()
    run = DrawProgress(plan, complete=2, clock=now)
    assert (run.done, run.cells, run.is_set, run.seconds_left) == (2, 8, True, None)
    aligned, base = plan.cells[0], plan.cells[3]
    for cell in (aligned, base):
        run.take(CellStarted(cell, 3, 0, 0.0))
    now.now += 10
    run.take(stored(aligned, row))
    assert run.seconds_left is None, "the base model has drawn nothing"
    run.take(stored(base, row))
    run.take(stored(aligned, row))
    run.take(CellDone(aligned))
    assert (run.done, run.seconds_left) == (3, 50.0)
    said = [run.take(CellFailed(cell, "no weights")) for cell in plan.cells[3:]]
    assert said == ["demo-base, prompt p0: no weights", "", ""], "one of a kind"
    assert (run.failed, run.seconds_left) == (3, 20.0)
    assert run.end_words == "3 of 8 cells drawn, 3 failed. F5 draws what is missing."


def test_a_sample_that_is_an_error_completes_no_cell(planned: tuple[Plan, SampleRow]) -> None:
    plan, row = planned
    run = DrawProgress(plan)
    run.take(stored(plan.cells[0], row, "error"))
    run.take(stored(plan.cells[0], row))
    run.take(CellDone(plan.cells[0]))
    assert run.done == 0
    run.stopped = True
    assert run.take(CellFailed(plan.cells[1], "cancelled")) == ""
    assert (run.failed, run.end_words) == (0, "Stopped: 0 of 6 cells drawn. F5 goes on with what is missing.")


def test_what_goes_on_is_told_until_it_is_over(planned: tuple[Plan, SampleRow]) -> None:
    plan, row = planned
    under_way = RunsUnderWay()
    assert not under_way.set_words
    under_way.begin(plan, 0, stopped=False)
    for cell in plan.cells:
        for _ in cell.missing:
            under_way.take(plan, stored(cell, row))
    assert under_way.set_words == "6/6 cells  ~1 s left"
    assert [notice.text for notice in under_way.end(plan, "")] == ["All 6 cells drawn."]
    assert not under_way
    one = replace(plan, cells=plan.cells[:1])
    under_way.begin(one, 0, stopped=False)
    assert not under_way.set_words
    assert under_way.take(one, CellFailed(one.cells[0], "no")) == under_way.end(one, "") == []


def test_overlapping_runs_count_once() -> None:
    now = Time()
    clock = SamplingClock(now)
    assert clock.seconds == 0
    clock.begin()
    now.now += 3
    clock.begin()
    clock.end()
    now.now += 2
    assert clock.seconds == 5
    clock.end()
    now.now += 100
    assert clock.seconds == 5


async def test_the_clock_stands_where_nothing_is_drawn(tmp_path: Path) -> None:
    workbench = Workbench(tmp_path / "x.db", FakePool(), None, lambda: None)
    workbench.begin(Bench.ready([ALIGNED], [Prompt("p", "Why?")], "few"))
    await workbench.sample(workbench.bench.columns)
    while workbench.busy:
        workbench.drain()
    took = workbench.seconds
    assert took > 0
    assert await workbench.draw(workbench.bench.columns, [workbench.bench.prompt]) is None
    assert workbench.seconds == took
    workbench.bench.prompt = Prompt("p", "Another text under its id?")
    with pytest.raises(InputError):
        await workbench.sample(workbench.bench.columns)
    assert workbench.seconds == took
    assert not workbench.busy
    await workbench.close()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "~1 s"), (40.4, "~40 s"), (59.6, "~1 min"), (250, "~4 min"), (7900, "~2 h 12 min")]
)
def test_times_are_rough(seconds: float, words: str) -> None:
    assert about(seconds) == words
