"""What can go wrong while a run goes on: the message, what is stored, and that the same run then ends as it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alignbench.engines.protocol import Done, Failed, SampleRequest, Sink
from alignbench.errors import StoreError
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import CellFailed, Run, RunEvent, SampleStored
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.support.fakes import FakePool

ALIGNED = Condition.zero_shot(Model("good", "demo-smollm2", "aligned"))
BASE = Condition.zero_shot(Model("raw", "demo-base", "base"))
PROMPTS = [Prompt(f"p{i}", f"Question {i}?") for i in range(4)]
N = 3
ALL = [(prompt.id, condition.name, i) for condition in (ALIGNED, BASE) for prompt in PROMPTS for i in range(N)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def run(store: Store, session: int, pool: FakePool | None = None) -> Run:
    return Run(make_plan(store, session, PROMPTS, (ALIGNED, BASE), N), pool or FakePool(), store)


def done(store: Store, session: int) -> list[tuple[str, str, int]]:
    return [(row.prompt_id, row.condition, row.sample) for row in store.samples(session) if row.status == "done"]


@dataclass
class DyingPool(FakePool):
    """The worker of a model dies in its second cell, once."""

    dies: str = "raw"

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        if model.name == self.dies and len([name for name, _ in self.requests if name == model.name]) == 1:
            self.dies = ""
            first = set(request.samples[:1])
            self.loaded.discard(model.name)

            def until_death(event: object) -> None:
                if isinstance(event, Done):
                    sink(Failed(request.key, f"The worker of {model.name} died (killed by SIGKILL)."))
                elif getattr(getattr(event, "result", None), "sample", 0) in first:
                    sink(event)  # type: ignore[arg-type]

            super().sample(model, request, until_death)
        else:
            super().sample(model, request, sink)


def test_a_worker_that_is_killed_costs_the_samples_in_flight_and_nothing_else(store: Store) -> None:
    session = store.create_session("t")
    events: list[RunEvent] = list(run(store, session, DyingPool()))
    assert [e.message for e in events if isinstance(e, CellFailed)] == ["The worker of raw died (killed by SIGKILL)."]
    failed = [row for row in store.samples(session) if row.status == "error"]
    assert [(row.prompt_id, row.condition, row.sample) for row in failed] == [("p1", "raw", 1), ("p1", "raw", 2)]
    assert {row.error for row in failed} == {"The worker of raw died (killed by SIGKILL)."}
    list(run(store, session))
    assert done(store, session) == ALL


def test_a_database_that_is_deleted_under_a_run_is_said_at_the_next_sample(store: Store) -> None:
    work = run(store, store.create_session("t"))

    def delete_at_a_sample() -> None:
        for event in work:
            if isinstance(event, SampleStored):
                store.path.unlink(missing_ok=True)

    with pytest.raises(StoreError, match=r"runs\.db was deleted, moved or replaced while it was in use"):
        delete_at_a_sample()
    with Store.open(store.path) as anew:
        session = anew.create_session("t")
        list(run(anew, session))
        assert done(anew, session) == ALL


def test_a_run_waits_for_another_program_that_holds_the_lock(store: Store) -> None:
    session = store.create_session("t")
    released = threading.Event()

    def hold(seconds: float) -> None:
        with Store.open(store.path) as other:
            other.db.execute("BEGIN IMMEDIATE")
            locked.set()
            released.wait(seconds)
            other.db.execute("ROLLBACK")

    locked = threading.Event()
    holder = threading.Thread(target=hold, args=(1.0,))
    for event in run(store, session):
        if isinstance(event, SampleStored) and not locked.is_set():
            holder.start()
            locked.wait()
    holder.join()
    assert done(store, session) == ALL


def test_a_full_disk_stops_a_run_and_room_lets_it_end(store: Store) -> None:
    session = store.create_session("t")
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    work = run(store, session, FakePool(texts={"good": ["word " * 4000], "raw": ["word " * 4000]}))
    store.db.execute(f"PRAGMA max_page_count = {pages + 60}")
    with pytest.raises(StoreError, match=r"The disk is full: .* Everything stored before is safe; free some space"):
        list(work)
    there = done(store, session)
    assert 0 < len(there) < len(ALL)
    store.db.execute("PRAGMA max_page_count = 1000000")
    list(run(store, session))
    assert done(store, session) == ALL


def test_an_edited_experiment_adds_and_drops_nothing(store: Store) -> None:
    session = store.create_session("t")
    list(run(store, session))
    before = list(store.samples(session))
    again = Condition.zero_shot(ALIGNED.model, name="again", seed=100)
    list(Run(make_plan(store, session, PROMPTS[:2], (again, ALIGNED), N), FakePool(), store))
    after = list(store.samples(session))
    assert [row for row in after if row.condition != "again"] == before
    assert [(row.prompt_id, row.sample) for row in after if row.condition == "again"] == [
        (prompt.id, i) for prompt in PROMPTS[:2] for i in range(N)
    ]
