"""The alignment ledger on the screen: gaps under tokens, what pieces cost and save, what an edit closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from alignbench.scoring import likelihood_cache
from alignbench.spec import Sampling
from alignbench.tui.app import BenchApp
from alignbench.tui.context.hint_screen import HintScreen
from alignbench.tui.ledger.screen import LedgerScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.marked_pane import MarkedPane
from alignbench.tui.workbench.column import Column
from tests.support.app import SMALL, WIDE, bench_of, make_app, ready, sampled, screen_text, shows, until, widget_text
from tests.support.books import BASE, PROMPTS, TEACHER, Pool


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood_cache, "weights_hash", lambda model: f"hash of {model.name}")


class PatientPool(Pool):
    """Keeps scoring requests to itself while `hold` is set."""

    hold = False

    def score(self, model: Any, request: Any, sink: Any) -> None:
        if not self.hold:
            super().score(model, request, sink)


def app_on(path: Path, pool: Pool | None = None) -> BenchApp:
    return make_app(path / "x.db", pool or Pool(), models=[TEACHER.model, BASE])


async def on_prompt(pilot: Pilot[Any], app: BenchApp) -> None:
    await ready(pilot, app)
    app.workbench.bench.ask(PROMPTS[0])
    app.workbench.changed()


async def ledger(pilot: Pilot[Any], app: BenchApp) -> LedgerScreen:
    await until(pilot, lambda: isinstance(app.screen, LedgerScreen))
    assert isinstance(app.screen, LedgerScreen)
    return app.screen


def account(app: BenchApp) -> str:
    return " ".join(widget_text(app.screen.query_one(LineList)).split())


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_hint_closes_its_source_and_nothing_else(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await on_prompt(pilot, app)
        await sampled(pilot, app)
        await pilot.press("g")
        await ledger(pilot, app)
        said = "6 bits, .50 a byte: 12 under B, 6 under A*"
        await until(pilot, lambda: said in screen_text(app) and "sample 1 of 5, held out" in screen_text(app))
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, HintScreen) and "Not made yet" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "gives away" in screen_text(app) and "of the response =" in screen_text(app))
        await pilot.press("f10")
        await ledger(pilot, app)
        await until(pilot, lambda: "SOURCE" in screen_text(app) and "+9 bits saved" in screen_text(app))
        await shows(pilot, "B2 summary reads A*")
        if size == SMALL:
            await pilot.press("tab")
        await until(pilot, lambda: "saved since B1" in account(app))
        text = account(app)
        assert "held out, n 4 source, n 1" in text
        assert "of it, held out opening 1.6 format 0.6 end 0.0 rest 2.1" in text
        assert "saved since B1 +2." in text  # sample 4 says the same as the source
        assert "+9.0 .75 a byte" in text
        assert "hint" in text.partition("all pieces save")[2]
        await pilot.press("d")
        await until(pilot, lambda: "closed by 1 to 8 bits since B1" in screen_text(app))
        await until(pilot, lambda: {run.mark for run in app.screen.query_one(MarkedPane)._runs} == {"▁"})
        await pilot.press("full_stop")
        await until(pilot, lambda: "sample 2 of 5, held out" in screen_text(app))
        await until(pilot, lambda: {run.mark for run in app.screen.query_one(MarkedPane)._runs} == {"·"})
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.selected == 0
        assert len(app.workbench.bench.columns[1].history) == 2


async def test_an_edit_of_a_column_that_was_only_read_leaves_a_version(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await on_prompt(pilot, app)
        await pilot.press("s")
        await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await pilot.press("down", "g")
        await ledger(pilot, app)
        await until(pilot, lambda: "sample 2 of 5" in screen_text(app))
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, HintScreen) and "Not made yet" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "gives away" in screen_text(app) and "of the response =" in screen_text(app))
        await pilot.press("f10")
        await ledger(pilot, app)
        await until(pilot, lambda: "+0 bits saved since B1" in screen_text(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "B1 zero-shot reads A*" in screen_text(app))


async def test_reading_is_given_up_by_esc_and_begun_again(tmp_path: Path) -> None:
    pool = PatientPool()
    app = app_on(tmp_path, pool)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await on_prompt(pilot, app)
        await pilot.press("g")
        await until(pilot, lambda: "A* chat has no finished response" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        await sampled(pilot, app)
        pool.hold = True
        await pilot.press("g")
        await until(pilot, lambda: "chat reads sample 1" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "Given up." in screen_text(app))
        pool.hold = False
        await pilot.press("r")
        await until(pilot, lambda: "6 bits, .50 a byte" in screen_text(app))


async def test_of_the_pair_that_the_app_opens_on_it_is_a_kl_divergence(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Pool())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await on_prompt(pilot, app)
        await sampled(pilot, app)
        await pilot.press("g")
        await ledger(pilot, app)
        await until(pilot, lambda: "The gap estimates KL(A* ‖ B)" in account(app))
        assert "cross-entrop" not in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        bench = app.workbench.bench
        cool = replace(bench.columns[0].condition, name="cool", sampling=Sampling(temperature=0.7))
        bench.change(bench.columns[0], Column(cool, 5))
        await sampled(pilot, app)
        await pilot.press("g")
        await ledger(pilot, app)
        await until(pilot, lambda: "A difference of cross-entropies, no KL divergence" in account(app))
