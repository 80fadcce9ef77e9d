"""The session that is open, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt, default_context
from alignbench.store import SampleRow, Store
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.bench_scores import BenchScores
from alignbench.tui.workbench.controller import Workbench
from tests.support.app import BASE
from tests.support.fakes import FakePool


async def test_the_prompt_on_the_screen_is_scored_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = tmp_path / "x.db"
    with Store.open(db) as store:
        session = store.create_session("kept", reference="base")
        for i in range(3):
            condition = Condition("base", BASE, default_context(BASE))
            cell = store.add_cell(session, Prompt(f"p{i}", f"Question {i}?"), condition, 2)
            for sample in range(2):
                store.add_text(cell, sample, f"answer {i} {sample}", raw_text="", finish_reason="stop")
        bench, _ = persistence.restore(store, session)
        bench.prompt = bench.asked[-1]
        persistence.save(store, session, persistence.layout(bench), "base", ())
    scored: list[str] = []

    def record(_: BenchScores, row: SampleRow) -> None:
        scored.append(row.prompt)

    monkeypatch.setattr(BenchScores, "add", record)
    workbench = Workbench(db, FakePool(), None, lambda: None)
    await workbench.open(session)
    await workbench.close()
    assert scored == ["Question 2?"] * 2 + ["Question 0?"] * 2 + ["Question 1?"] * 2


def test_a_session_is_shown_at_the_prompt_that_has_the_samples_of_its_text(tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store:
        session = store.create_session("kept")
        asked = [Prompt("a", "Why?"), Prompt("b", "Why?"), Prompt("c", "Who?")]
        for prompt in asked:
            store.add_cell(session, prompt, Condition("base", BASE, default_context(BASE)), 1)
        bench, _ = persistence.restore(store, session)
        for left, shown in ((asked[1], "b"), (Prompt("other", "Why?", "set"), "a"), (Prompt("new", "When?"), "new")):
            bench.prompt = left
            persistence.save(store, session, persistence.layout(bench), None, ())
            assert persistence.restore(store, session)[0].prompt.id == shown


def test_who_watches_the_workbench_hears_of_each_change(tmp_path: Path) -> None:
    workbench = Workbench(tmp_path / "x.db", FakePool(), None, lambda: None)
    heard: list[int] = []

    def watcher() -> None:
        heard.append(1)

    workbench.watch(watcher)
    workbench.changed()
    workbench.changed(scores=False)
    workbench.unwatch(watcher)
    workbench.changed()
    assert len(heard) == 2


def test_what_a_screen_computed_lives_as_long_as_the_session(tmp_path: Path) -> None:
    workbench = Workbench(tmp_path / "x.db", FakePool(), None, lambda: None)

    class Kept:
        closed = False

        def close(self) -> None:
            self.closed = True

    first = workbench.of_session("scores", Kept)
    assert workbench.of_session("scores", Kept) is first
    workbench.begin(workbench.bench.renewed())
    assert first.closed
    assert workbench.of_session("scores", Kept) is not first
