"""Samples of many prompts, drawn from the Bench with a fake pool and a real database."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from alignbench.engines.protocol import SampleRequest, Sink
from alignbench.experiments.plan import preview
from alignbench.spec import Model, Prompt
from alignbench.store import SampleRow, Store
from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.sample import SampleScreen
from alignbench.tui.investigation.screen import InvestigationScreen
from tests.support.app import SMALL, WIDE, hint_second_column, line_with, make_app, ready, rows, shows, until
from tests.support.fakes import FakePool
from tests.support.waiting import LIMIT

PROMPTS = [Prompt(f"p{i}", f"Question number {i}?", "few") for i in range(4)]


def _number(request: SampleRequest) -> int:
    """Of the prompt, from 0."""
    return int(re.findall(r"number (\d)", request.query)[-1]) if "number" in request.query else 0


class HeldPool(FakePool):
    """Answers so many cells as it is let, a prompt after the other; the rest wait, or are cancelled. Which model is
    loaded first decides no more than which of a prompt's cells comes first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._let, self._more = 2, threading.Condition()

    def let(self, cells: int) -> None:
        with self._more:
            self._let = cells
            self._more.notify_all()

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        with self._more:
            self._more.wait_for(lambda: self._turn(request) <= self._let or request.key in self._cancelled, LIMIT)
        super()._answer(model, request, sink)

    def _turn(self, request: SampleRequest) -> int:
        """Which cell it is, from 1: two of each prompt before it, and those of its own that came before."""
        numbers = [(each.key, _number(each)) for _, each in self.requests]
        own = [key for key, number in numbers if number == _number(request)]
        return 2 * _number(request) + own.index(request.key) + 1

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:
        with self._more:
            super().cancel(model, key, samples)
            self._more.notify_all()


def few_prompts(app: BenchApp, folder: Path) -> None:
    file = folder / "few.jsonl"
    file.write_text("".join(json.dumps({"id": prompt.id, "text": prompt.text}) + "\n" for prompt in PROMPTS))
    bench = app.workbench.bench
    bench.prompts, bench.prompt_set, bench.prompt = PROMPTS, str(file), PROMPTS[0]
    app.workbench.changed()


async def offered(pilot: Pilot[Any], key: str = "S") -> SampleScreen:
    """Open the dialog and wait for what it offers."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, SampleScreen) and pilot.app.screen._offers)
    screen = pilot.app.screen
    assert isinstance(screen, SampleScreen)
    return screen


async def few_begun(pilot: Pilot[Any], app: BenchApp, folder: Path) -> None:
    """All of a set of few prompts is being drawn."""
    await ready(pilot, app)
    few_prompts(app, folder)
    await offered(pilot)
    await pilot.press("down", "enter")


async def set_drawn(pilot: Pilot[Any], app: BenchApp, downs: int) -> None:
    """Draw one of the offers and wait until nothing runs any more."""
    await offered(pilot)
    await pilot.press(*["down"] * downs, "enter")
    await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)


def texts(stored: list[SampleRow]) -> dict[tuple[str, str, int], str]:
    return {(row.prompt_id, row.condition, row.sample): row.text for row in stored if row.status == "done"}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_what_is_missing_is_what_the_database_lacks(tmp_path: Path, size: tuple[int, int]) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        few_prompts(app, tmp_path)
        await offered(pilot)
        assert not db.exists(), "looking must not make a session"
        assert [offer.missing for offer in app.screen._offers] == [10, 40]
        await shows(pilot, "this prompt", "10 missing", "all 4 of few", "40 missing", "no pace yet")
        await pilot.press("enter")
        await until(pilot, lambda: len(rows(db)) == 10 and not app.workbench.busy)
        with Store.open(db) as store:  # by another process, say
            store.add_error(rows(db)[0].cell_id, 7, "no sample")
            cell = store.add_cell(1, PROMPTS[1], app.workbench.bench.columns[0].condition, 5)
            store.add_text(cell, 0, "Drawn elsewhere.", raw_text="Drawn elsewhere.", finish_reason="stop")
        offers = (await offered(pilot, "f5"))._offers
        with Store.open(db) as store:
            conditions = [column.condition for column in app.workbench.bench.columns]
            lacking = preview(store, 1, PROMPTS, conditions, 5)
        assert [offer.missing for offer in offers] == [0, sum(len(cell.missing) for cell in lacking)]
        await shows(pilot, "complete", "29 missing", "~")
        await pilot.press("tab")
        await until(pilot, lambda: [offer.missing for offer in app.screen._offers] == [0, 14])
        await shows(pilot, "in column demo-aligned")
        await pilot.press("up", "enter")
        await shows(pilot, "No sample is missing there.")
        await pilot.press("escape")
        assert len(rows(db)) == 12


async def test_an_interrupted_set_goes_on_in_another_app_with_the_same_samples(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.db", tmp_path / "parts.db"
    app = make_app(whole)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        few_prompts(app, tmp_path)
        hint_second_column(app)
        await set_drawn(pilot, app, 1)
        await shows(pilot, "All 8 cells drawn.")
    app = make_app(parts, HeldPool())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        few_prompts(app, tmp_path)
        hint_second_column(app)
        await offered(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: parts.exists() and any(row.status == "done" for row in rows(parts)))
        await pilot.press("escape")
        await until(pilot, lambda: not app.workbench.busy)
        await shows(pilot, "Stopped:")
    assert len(texts(rows(parts))) < 40
    app = make_app(parts, session=1)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: app.workbench.bench.session == 1)
        bench = app.workbench.bench
        await offered(pilot)
        left = [offer for offer in app.screen._offers if len(offer.scope.prompts) == 4]
        assert [offer.missing for offer in left] == [40 - len(texts(rows(parts)))]
        await pilot.press("enter")
        await until(pilot, lambda: len(texts(rows(parts))) == 40 and not app.workbench.busy)
        assert all(cell.done == 5 for cell in bench.cells.values())
    assert texts(rows(parts)) == texts(rows(whole))


async def test_a_set_that_was_stopped_in_its_first_prompt_is_what_is_gone_on_with(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    pool = HeldPool()
    pool.let(1)
    app = make_app(db, pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await few_begun(pilot, app, tmp_path)
        await until(pilot, lambda: db.exists() and any(row.status == "done" for row in rows(db)))
        await pilot.press("escape")
        await until(pilot, lambda: not app.workbench.busy)
    assert len(texts(rows(db))) < 10
    app = make_app(db, session=1)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: app.workbench.bench.session == 1)
        await offered(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: len(texts(rows(db))) == 40 and not app.workbench.busy)


async def test_while_a_set_is_drawn(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    pool = HeldPool()
    app = make_app(db, pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await few_begun(pilot, app, tmp_path)
        await until(pilot, lambda: "2/8 cells" in line_with(app, "alignbench"))
        await pilot.press("right_square_bracket", "f5")
        await shows(pilot, "Question number 1?", "Sampling goes on: 2/8 cells", "Esc stops it")
        await pilot.press("S")
        assert app.screen is app.bench_screen
        await pilot.press("f2")
        await shows(pilot, "○ 2  Question number 1?", "1  Question number 0?", "partly")
        pool.let(8)
        await shows(pilot, "● 4 done", "● 2  Question number 1?")
        await until(pilot, lambda: not app.workbench.busy)
        await pilot.press("escape")
        await shows(pilot, "5/5 done")
        assert {row.status for row in rows(db)} == {"done"}
        assert len(rows(db)) == 40


async def test_scores_of_many_prompts_move_while_a_set_is_drawn(tmp_path: Path) -> None:
    pool = HeldPool()
    app = make_app(tmp_path / "x.db", pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await few_begun(pilot, app, tmp_path)
        await until(pilot, lambda: "2/8 cells" in line_with(app, "alignbench"))
        await pilot.press("f7", "3")
        await shows(pilot, "◆ Question number 0?")
        pool.let(4)
        await shows(pilot, "Question number 1?")
        await pilot.press("escape", "I")
        screen = app.screen
        assert isinstance(screen, InvestigationScreen)
        await until(pilot, lambda: screen._last is not None and screen._last.subject.n == 20)
        pool.let(6)
        await until(pilot, lambda: screen._last is not None and screen._last.subject.n == 30)
        assert app.workbench.busy
        pool.let(8)
        await until(pilot, lambda: screen._last is not None and screen._last.subject.n == 40)
        await until(pilot, lambda: not app.workbench.busy)
        await pilot.press("escape")
        await shows(pilot, "5/5 done")


async def test_a_cell_that_fails_ends_nothing(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    pool = FakePool(fail={"demo-base": "the worker was killed by signal 9"})
    app = make_app(db, pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        few_prompts(app, tmp_path)
        await set_drawn(pilot, app, 1)
        await shows(pilot, "demo-base, prompt p0: the worker was killed", "4 of 8 cells drawn, 4 failed.")
        assert len(texts(rows(db))) == 20
        pool.fail.clear()
        await pilot.press("f2")
        await shows(pilot, "◐ 4 partly")
        await pilot.press("escape")
        await set_drawn(pilot, app, 0)  # what was begun is chosen
        assert len(texts(rows(db))) == 40
