"""A run in a process of its own that tests kill: the deterministic pool, a real database."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import SampleStored
from alignbench.experiments.staged import StagedRun
from alignbench.spec import Condition, Context, Examples, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.fakes import FakePool

NAME = "killed"
N = 3
PROMPTS = [Prompt(f"p{i}", f"Question {i}?") for i in range(24)]
TEACHER = Condition.zero_shot(Model("good", "demo-smollm2", "aligned"))
RAW = Model("raw", "demo-base", "base")
CONDITIONS = (
    TEACHER,
    Condition.zero_shot(RAW, sampling=Sampling(max_tokens=6)),
    Condition("taught", RAW, Context("plain", examples=Examples(condition="good", select="random", k=2))),
)


def draw(path: Path, said: Connection | None = None) -> None:
    """Begin the experiment or go on with it; says each sample that it has stored."""
    with Store.open(path) as store:
        session = store.session_of_experiment(NAME)
        if session is None:
            session = store.create_session(NAME, reference="good", manifest={"experiment": {"file": NAME}})
        for event in StagedRun(make_plan(store, session, PROMPTS, CONDITIONS, N), FakePool(delay=0.001), store, None):
            if said is not None and isinstance(event, SampleStored):
                said.send_bytes(b".")
