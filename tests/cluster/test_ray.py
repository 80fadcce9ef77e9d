"""Runs on a local Ray cluster of two worker processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import CellFailed, Run, RunEvent, SampleStored
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.cluster.marked import making
from tests.support.fakes import FakePool
from tests.support.later import later
from tests.support.waiting import LIMIT

ray, pools = later("ray"), later("alignbench.cluster.pool")

BASE = Condition.zero_shot(Model("raw", "demo-base", "base"))
ALIGNED = Condition.zero_shot(Model("good", "demo-smollm2", "aligned"))
PROMPTS = [Prompt(f"p{i}", f"Question {i}?") for i in range(8)]
N = 3


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    yield
    ray.shutdown()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def texts(store: Store, session: int) -> dict[tuple[str, str, int], str]:
    return {(row.prompt_id, row.condition, row.sample): row.text for row in store.samples(session)}


def alone(store: Store, *conditions: Condition) -> dict[tuple[str, str, int], str]:
    """What the same run gives on one machine."""
    session = store.create_session("alone")
    list(Run(make_plan(store, session, PROMPTS, conditions, N), FakePool(), store))
    return texts(store, session)


def test_a_worker_that_is_killed_costs_no_sample_and_none_is_drawn_twice(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    said: list[str] = []
    pool = pools.RayPool(None, 1, make_pool=making(folder, delay=0.02), say=said.append)
    session = store.create_session("t")
    events: list[RunEvent] = []
    killed = None
    for event in Run(make_plan(store, session, PROMPTS, (BASE,), N), pool, store):
        events.append(event)
        if killed is None and sum(isinstance(each, SampleStored) for each in events) > 3:
            killed = min(map(int, os.listdir(folder)))  # both have begun: the first cells of both are done
            os.kill(killed, signal.SIGKILL)
    pool.close()
    assert killed is not None
    assert not [event for event in events if isinstance(event, CellFailed)]
    stored = [(event.row.prompt_id, event.row.sample) for event in events if isinstance(event, SampleStored)]
    assert sorted(stored) == [(prompt.id, i) for prompt in PROMPTS for i in range(N)]
    assert texts(store, session) == alone(store, BASE)
    assert any("a worker in the cluster was lost" in line for line in said)


def test_models_that_do_not_fit_together_run_one_after_the_other(store: Store, tmp_path: Path) -> None:
    pool = pools.RayPool(None, 1, cpus=2, make_pool=making(tmp_path))
    session = store.create_session("t")
    events = list(Run(make_plan(store, session, PROMPTS, (BASE, ALIGNED), N), pool, store))
    pool.close()
    assert not [event for event in events if isinstance(event, CellFailed)]
    assert texts(store, session) == alone(store, BASE, ALIGNED)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "No Ray cluster answers at 127.0.0.1:1: Connection refused"),
        ("ray://127.0.0.1:1", "expected HOST:PORT"),
        ("here:", "expected HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there_is_said_at_once(address: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pools.connect(address)


def test_what_cannot_be_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 2 CPUs and 0 GPUs, but an actor asks for 1 and 1"):
        pools.RayPool(None, 1, gpus=1)
    pool = pools.RayPool(None, 1, cpus=2, make_pool=making(tmp_path, fail={"raw": "no such file"}))
    session = store.create_session("t")
    events = list(Run(make_plan(store, session, PROMPTS[:2], (BASE,), 1), pool, store))
    pool.close()
    assert {event.message for event in events if isinstance(event, CellFailed)} == {"no such file"}


def test_a_lost_head_ends_the_run_with_a_message(tmp_path: Path) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    run = subprocess.run(
        [sys.executable, "-m", "tests.cluster.lost_head", str(tmp_path / "x.db"), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert run.returncode == 7  # it came to its end, and was not ended by Ray
    assert "The head of the Ray cluster" in run.stdout
