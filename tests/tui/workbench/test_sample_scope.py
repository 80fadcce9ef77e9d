"""What samples are offered of."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.engines.protocol import SampleResult
from alignbench.spec import Condition, Model, Prompt, default_context
from alignbench.store import Store
from alignbench.tui.workbench.cell import BenchCell, BenchSample
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.sample_scope import NEXT, offers, scopes, standings
from alignbench.tui.workbench.state import Bench
from tests.support.app import ALIGNED, BASE

PROMPTS = [Prompt(f"p{i}", f"Question {i}?", "many") for i in range(30)]


def titles(bench: Bench) -> list[str]:
    return [scope.title for scope in scopes(bench)]


def test_scopes_are_this_prompt_the_next_ones_those_of_the_session_and_all() -> None:
    bench = Bench.ready([ALIGNED], PROMPTS, "sets/many.jsonl")
    assert titles(bench) == ["this prompt", "next 20 prompts", "all 30 of many"]
    bench.prompt = PROMPTS[25]
    assert scopes(bench)[1].title == "next 5 prompts"
    assert scopes(bench)[1].prompts == tuple(PROMPTS[25:])
    bench.prompt = PROMPTS[29]
    assert titles(bench) == ["this prompt", "all 30 of many"], "no prompt follows"
    bench.asked = PROMPTS[:3]
    assert titles(bench) == ["this prompt", "the 3 prompts of this session", "all 30 of many"]
    bench.asked = PROMPTS[:NEXT]
    bench.prompt = PROMPTS[0]
    assert titles(bench) == ["this prompt", "the 20 prompts of this session", "all 30 of many"], "none is there twice"
    bench.prompt = Prompt.typed("And this?")
    assert titles(bench) == ["this prompt", "the 20 prompts of this session", "all 30 of many"]
    assert titles(Bench()) == []


def test_offers_count_what_the_database_lacks_and_time_models_side_by_side(tmp_path: Path) -> None:
    models = Model("other", "demo-smollm2", "aligned"), BASE, ALIGNED
    *columns, tuned = [Column(Condition(model.name, model, default_context(model)), 4) for model in models]
    bench = Bench.ready([ALIGNED], PROMPTS, "many")
    assert [offer.seconds for offer in offers(None, None, scopes(bench), columns)] == [None] * 3
    with Store.open(tmp_path / "x.db") as store:
        session = store.create_session("s")
        for column, seconds in zip(columns, (2.0, 6.0), strict=True):
            cell = store.add_cell(session, PROMPTS[0], column.condition, 4)
            store.add_sample(cell, SampleResult(0, "Tea.", "Tea.", "stop", 3, 10, seconds, -1.0, None))
        one, twenty, everything = offers(store, session, scopes(bench), columns)
        assert [one.missing, twenty.missing, everything.missing] == [6, 6 + 19 * 8, 6 + 29 * 8]
        assert one.seconds == pytest.approx(3 * 6.0), "as long as the slower model needs"
        store.add_sample(
            store.add_cell(session, PROMPTS[0], tuned.condition, 4),
            SampleResult(0, "Tea.", "Tea.", "stop", 3, 10, 3.0, -1.0, None),
        )
        pair = offers(store, session, scopes(bench), [*columns, tuned])[0]
        assert pair.seconds == pytest.approx(3 * (6.0 + 3.0)), "a base and its adapter take turns"
        of_one = offers(store, session, scopes(bench), columns[:1])[0]
        assert (of_one.missing, of_one.seconds) == (3, pytest.approx(3 * 2.0))


def test_a_prompt_is_done_where_every_column_has_its_samples() -> None:
    bench = Bench.ready([ALIGNED, BASE], PROMPTS, "many")
    samples = {i: BenchSample(i, "done") for i in range(5)}
    first, second = (column.hash for column in bench.columns)
    bench.cells = {
        (PROMPTS[0].key, first): BenchCell(samples=dict(samples)),
        (PROMPTS[0].key, second): BenchCell(samples=dict(samples)),
        (PROMPTS[1].key, first): BenchCell(samples=dict(samples)),
        (PROMPTS[2].key, first): BenchCell(samples={0: BenchSample(0, "error")}),
    }
    assert standings(bench, PROMPTS[:4]) == ["done", "partly", "none", "none"]
    bench.columns[1] = Column(bench.columns[1].condition, 10)
    assert standings(bench, PROMPTS[:1]) == ["partly"]
    assert len(bench.cells) == 4, "looking makes no cells"
