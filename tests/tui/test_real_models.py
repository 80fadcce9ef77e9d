"""What takes real models: costly scores and the token shift, on the embedded ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.metrics.registry import METRICS
from alignbench.store import Store
from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.scores.model_metrics import RUNNERS
from alignbench.tui.scores.screen import ScoresScreen
from alignbench.tui.workbench.metric_rows import rows
from tests.support.app import ready, screen_text, shows, until
from tests.support.judged import terse_template
from tests.support.pools import KnownTexts


@pytest.mark.models
@pytest.mark.slow
async def test_costly_scores_and_token_shift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignbench.judging.plan.judge_template", terse_template)
    pool = KnownTexts(
        demo_base=["The diary of a man.", "I do not know why."],
        demo_aligned=["People keep diaries to remember.", "A diary helps people to understand themselves."],
    )
    app = BenchApp(tmp_path / "x.db", pool, pool)
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        for at, column in enumerate(bench.columns):
            bench.columns[at] = replace(column, n=2)
        await pilot.press("f5")
        await until(pilot, lambda: bench.session is not None and not app.workbench.busy)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen))
        screen = app.screen
        for metric in RUNNERS:
            screen._row = next(i for i, row in enumerate(rows()) if row.metric.name == metric)
            await pilot.press("o")

            def there(metric: str = metric) -> bool:
                model = screen._view_model()
                reasons = [model.entry(row, 1).reason for row in rows() if row.metric.name == metric]
                return reasons == [""] * len(METRICS[metric].scope)

            await until(pilot, lambda: not screen._scores.on_demand.running and there())
        screen._row = next(i for i, row in enumerate(rows()) if row.run == "stance")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, lambda: screen._view_model().jobs and not screen._scores.on_demand.running)
        await until(pilot, lambda: screen._view_model().within(screen._chosen, 1).samples)
        with Store.open(tmp_path / "x.db") as store:
            judged = list(store.judgments(bench.session, kind="stance"))
        assert {row.condition for row in judged} == {"demo-aligned", "demo-base"}
        assert len(judged) == 4
        await pilot.press("escape", "enter", "4")
        await until(pilot, lambda: "bits per byte under B demo-base" in screen_text(app))
        await shows(pilot, "token 1 of")


def test_every_score_that_is_not_live_runs_on_demand() -> None:
    assert RUNNERS.keys() == {row.run for row in rows() if row.on_demand and not row.judged}
