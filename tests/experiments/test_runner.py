"""Plans and runs on the deterministic pool and a real database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from alignbench.engines.protocol import Done, Event, Failed, SampleRequest, Sink
from alignbench.experiments.estimate import estimate
from alignbench.experiments.plan import make_plan, preview
from alignbench.experiments.runner import CellDone, CellFailed, CellStarted, Run, RunEvent, SampleStored, TextArrived
from alignbench.spec import Condition, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support import fakes
from tests.support.fakes import FakePool

ALIGNED = Condition.zero_shot(Model("good", "demo-smollm2", "aligned"))
BASE = Condition.zero_shot(Model("raw", "demo-base", "base"))
PROMPTS = [Prompt("p1", "Why do people keep diaries?"), Prompt("p2", "What makes a good neighbour?")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def texts(store: Store, session: int) -> dict[tuple[str, str, int], str]:
    return {(row.prompt_id, row.condition, row.sample): row.text for row in store.samples(session)}


def run(
    store: Store, session: int, pool: FakePool, n: int = 3, conditions: tuple[Condition, ...] = (ALIGNED, BASE)
) -> list[RunEvent]:
    return list(Run(make_plan(store, session, PROMPTS, conditions, n), pool, store))


def test_every_sample_is_stored_once(store: Store) -> None:
    session = store.create_session("t")
    events = run(store, session, FakePool())
    assert len(texts(store, session)) == 2 * 2 * 3
    assert sum(isinstance(e, SampleStored) for e in events) == 12
    assert sum(isinstance(e, CellStarted) for e in events) == sum(isinstance(e, CellDone) for e in events) == 4
    assert any(isinstance(e, TextArrived) for e in events)


def test_running_again_draws_only_what_is_missing(store: Store) -> None:
    session = store.create_session("t")
    run(store, session, FakePool(), n=2)
    before = texts(store, session)
    pool = FakePool()
    run(store, session, pool, n=5)
    assert {request.samples for _, request in pool.requests} == {(2, 3, 4)}
    assert before.items() <= texts(store, session).items()
    again = FakePool()
    run(store, session, again, n=5)
    assert again.requests == []


def test_a_cell_without_samples_is_one_too(store: Store) -> None:
    session = store.create_session("t")
    cells = make_plan(store, session, PROMPTS, (BASE,), 0).cells
    assert [cell.id for cell in cells] == [cell.id for cell in store.cells(session)]
    assert len(cells) == len(PROMPTS)


def test_two_cells_never_share_random_numbers(store: Store) -> None:
    pool = FakePool()
    run(store, store.create_session("t"), pool)
    assert len({request.stream for _, request in pool.requests}) == 4


def test_a_model_that_cannot_load_fails_its_cells_alone(store: Store) -> None:
    session = store.create_session("t")
    events = run(store, session, FakePool(fail={"raw": "no such file"}))
    assert {e.cell.condition.name for e in events if isinstance(e, CellFailed)} == {"raw"}
    rows = list(store.samples(session))
    assert {(row.condition, row.status) for row in rows} == {("good", "done"), ("raw", "error")}
    assert {row.error for row in rows if row.status == "error"} == {"no such file"}
    run(store, session, FakePool())
    assert {row.status for row in store.samples(session)} == {"done"}


def test_cancel_keeps_what_was_generated_and_begins_nothing_new(store: Store) -> None:
    session = store.create_session("t")
    pool = FakePool(delay=0.01)
    work = Run(make_plan(store, session, PROMPTS, (ALIGNED,), 3), pool, store)
    for event in work:
        if isinstance(event, TextArrived):
            work.cancel()
    rows = list(store.samples(session))
    assert {row.status for row in rows} == {"cancelled"}
    assert {row.prompt_id for row in rows} == {"p1"}
    assert any(row.text for row in rows)
    run(store, session, FakePool(), conditions=(ALIGNED,))
    assert {row.status for row in store.samples(session)} == {"done"}


def test_cancel_of_one_sample_leaves_the_others(store: Store) -> None:
    session = store.create_session("t")
    work = Run(make_plan(store, session, PROMPTS[:1], (ALIGNED,), 3), FakePool(delay=0.01), store)
    for event in work:
        if isinstance(event, TextArrived):
            work.cancel(event.cell.id, 1)
    assert [row.status for row in store.samples(session)] == ["done", "cancelled", "done"]


def test_a_cell_that_cannot_be_rendered_fails_alone(store: Store) -> None:
    session = store.create_session("t")
    prompts = [Prompt("empty", " "), PROMPTS[0]]
    events = list(Run(make_plan(store, session, prompts, (BASE,), 2), FakePool(), store))
    assert [e.message for e in events if isinstance(e, CellFailed)] == ["The prompt is empty."]
    assert {(row.prompt_id, row.status) for row in store.samples(session)} == {("empty", "error"), ("p1", "done")}


def test_the_rendered_prompt_and_its_ids_are_kept(store: Store) -> None:
    session = store.create_session("t")
    run(store, session, FakePool(), conditions=(BASE,))
    cell = store.cells(session)[0]
    assert store.rendered(cell.id) == f"# Query:\n```\n{PROMPTS[0].text}\n```\n\n# Answer:\n```\n"
    assert store.prompt_ids(cell.id) == (1, 2, 3)


def test_seeds_are_the_conditions_plus_the_index(store: Store) -> None:
    session = store.create_session("t")
    seeded = Condition.zero_shot(ALIGNED.model, seed=40, sampling=Sampling(temperature=0.5))
    run(store, session, FakePool(), conditions=(seeded,))
    assert {row.sample: row.seed for row in store.samples(session)} == {0: 40, 1: 41, 2: 42}


def test_an_imported_condition_is_not_sampled_and_keeps_its_errors(store: Store) -> None:
    session = store.create_session("t")
    condition = Condition.zero_shot(Model("old", "imported:old", "aligned"))
    cell = store.add_cell(session, PROMPTS[0], condition, 2)
    store.add_error(cell, 0, "overflow")
    pool = FakePool()
    events = list(Run(make_plan(store, session, PROMPTS[:1], (condition,), 3), pool, store))
    assert [type(event) for event in events] == [CellFailed]
    assert "cannot be sampled" in events[0].message
    assert pool.requests == []
    assert [(row.sample, row.error) for row in store.samples(session)] == [(0, "overflow")]


def test_finish_ends_what_runs_and_begins_nothing_new(store: Store) -> None:
    session = store.create_session("t")
    work = Run(make_plan(store, session, PROMPTS, (ALIGNED,), 3), FakePool(delay=0.01), store)
    for event in work:
        if isinstance(event, TextArrived):
            work.finish()
    rows = list(store.samples(session))
    assert {(row.prompt_id, row.status) for row in rows} == {("p1", "done")}
    assert len(rows) == 3


def test_errors_are_drawn_again_only_where_they_are_to_be(store: Store) -> None:
    session = store.create_session("t")
    run(store, session, FakePool(fail={"raw": "no such file"}))
    kept = make_plan(store, session, PROMPTS, (BASE,), 4, retry_errors=False)
    assert [cell.missing for cell in kept.cells] == [(3,), (3,)]
    assert make_plan(store, session, PROMPTS, (BASE,), 4).n_missing == 8
    looked = preview(store, session, PROMPTS, (BASE,), 5, retry_errors=False)
    assert [cell.missing for cell in looked] == [(3, 4), (3, 4)]
    assert store.cells(session)[-1].n == 4  # looking registers nothing
    assert [cell.missing for cell in preview(None, None, PROMPTS, (BASE,), 2)] == [(0, 1), (0, 1)]


def test_weights_that_were_replaced_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def weights(sha256: str) -> None:
        monkeypatch.setitem(fakes.CAPABILITIES, "base", replace(fakes.CAPABILITIES["base"], file_hash=sha256))

    session = store.create_session("t")
    weights("aaaa")
    run(store, session, FakePool(), n=1, conditions=(BASE,))
    weights("bbbb")
    events = run(store, session, FakePool(), n=2, conditions=(BASE,))
    messages = [event.message for event in events if isinstance(event, CellFailed)]
    assert len(messages) == 2
    assert all("aaaa" in message and "bbbb" in message for message in messages)
    assert {(row.sample, row.status) for row in store.samples(session)} == {(0, "done")}
    fresh = store.create_session("u")
    assert not [e for e in run(store, fresh, FakePool(), conditions=(BASE,)) if isinstance(e, CellFailed)]
    # The other session has other weights now; this one still knows its own.
    assert [e for e in run(store, session, FakePool(), n=2, conditions=(BASE,)) if isinstance(e, CellFailed)]


@dataclass
class NarrowPool(FakePool):
    """Has room for one model, and ends an idle one for the next."""

    held: str = ""
    refused: int = 0
    busy: set[int] = field(default_factory=set)

    def load(self, model: Model, sink: Sink) -> None:
        if self.held not in ("", model.name) and (self.busy or self.held not in self.loaded):
            self.refused += 1
            sink(Failed(0, "no room", crowded=True))
            return
        self.loaded.discard(self.held)
        self.held = model.name
        super().load(model, sink)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        def ends(event: Event) -> None:
            if isinstance(event, Done):
                self.busy.discard(request.key)
            sink(event)

        self.busy.add(request.key)
        super().sample(model, request, ends)


def test_models_without_room_for_all_of_them_run_one_after_the_other(store: Store) -> None:
    session = store.create_session("t")
    third = Condition.zero_shot(Model("third", "llama:/third.gguf", "base"))
    pool = NarrowPool()
    events = run(store, session, pool, conditions=(ALIGNED, BASE, third))
    assert not [event for event in events if isinstance(event, CellFailed)]
    assert len(texts(store, session)) == 3 * 2 * 3
    names = [name for name, _ in pool.requests]
    assert names == sorted(names, key=names.index)  # no model begins before the one at work has ended
    assert pool.refused


def test_a_model_that_has_no_room_even_alone_fails(store: Store) -> None:
    session = store.create_session("t")
    events = run(store, session, NarrowPool(fail={"good": "broken"}, held="else"))
    assert {event.message for event in events if isinstance(event, CellFailed)} == {"no room"}


def test_a_pool_with_lanes_gets_as_many_cells_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fakes.CAPABILITIES, "base", replace(fakes.CAPABILITIES["base"], lanes=3))
    prompts = [Prompt(f"p{i}", f"Question {i}?") for i in range(5)]
    session, pool = store.create_session("t"), FakePool(delay=0.005)
    sizes = []
    for event in Run(make_plan(store, session, prompts, (BASE,), 2), pool, store):
        if isinstance(event, CellStarted):
            sizes.append(len(pool.requests))
    assert sizes[0] == 3
    assert len(texts(store, session)) == 10


def test_an_estimate_follows_what_the_model_did_before(store: Store) -> None:
    session = store.create_session("t")
    before = estimate(store, preview(store, session, PROMPTS, (ALIGNED,), 2))
    assert (before[0].samples, before[0].most_tokens, before[0].tokens) == (4, 4 * 256, None)
    start = time.monotonic()
    run(store, session, FakePool(), n=2, conditions=(ALIGNED,))
    took = time.monotonic() - start
    after = estimate(store, preview(store, session, PROMPTS, (ALIGNED,), 4))
    # A fake sample has 12 tokens in 0.01 s, the two of a cell at one time; by the clock neither of the two cells took
    # longer than the run.
    assert (after[0].cells, after[0].samples, after[0].tokens) == (2, 4, 48)
    assert after[0].seconds is not None
    assert 0.009 < after[0].seconds < 2 * max(took, 0.021)
