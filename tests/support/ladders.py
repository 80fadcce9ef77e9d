"""Ladders of constraints, a judge that checks them, and a session of a responder that keeps to the first three."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from alignbench.engines.protocol import SampleRequest, Sink
from alignbench.judging.plan import plan_judging
from alignbench.judging.runner import Judged, JudgeRun
from alignbench.prompts import load_prompts
from alignbench.spec import Condition, Model
from alignbench.store import Store
from tests.support.fakes import FakePool
from tests.support.samples import BASE, result

JUDGE = Model("judge", "llama:/judge.gguf", "base")
KNOWN = (1.0, 1.0, 1.0, 0.5, 0.25)  # of a responder that satisfies the first three of 0, 1, 3, 6, 12


def ladder_file(folder: Path, stories: int = 2) -> Path:
    path = folder / "ladders.jsonl"
    rows = (
        {"id": f"s{i}", "prompt": f"Write about {i}.", "constraints": [f"says w{j}" for j in range(1, 13)]}
        for i in range(stories)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@dataclass
class Checker(FakePool):
    """Judges by looking: a constraint `says w3` is satisfied by a text that has the word."""

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        text = request.context + request.query
        words = re.findall(r"^\d+\. says (\w+)$", text.partition("<constraints>")[2], re.MULTILINE)
        said = text.partition("<text>")[2].split()
        answers = [{"reason": "seen", "satisfied": "yes" if word in said else "no"} for word in words]
        assert json.loads(request.schema)["properties"]["answers"]["minItems"] == len(words)
        self.texts = {model.name: [json.dumps({"answers": answers})]}
        super()._answer(model, request, sink)


def ladder_session(store: Store, folder: Path) -> int:
    """Conditions `three`, the reference, and `none`, with two responses to each rung of two stories."""
    session = store.create_session("ladders", reference="three")
    for name, words in (("three", "w1 w2 w3"), ("none", "nothing of it")):
        condition = Condition(name, BASE, Condition.zero_shot(BASE).context, seed=len(name))
        for prompt in load_prompts(str(ladder_file(folder))):
            cell = store.add_cell(session, prompt, condition, 2)
            for i in range(2):
                store.add_sample(cell, result(i, f"{words} {i}"))
    return session


def judge_ladders(store: Store, session: int) -> None:
    """Have every response but those to the lowest rungs judged."""
    plan = plan_judging(store, session, "constraints", JUDGE)
    assert len(plan.items) == plan.n == 2 * 2 * 4 * 2  # the lowest rungs are not judged
    events = [*JudgeRun(plan, Checker(), store)]  # type: ignore[arg-type]
    assert sum(isinstance(event, Judged) for event in events) == plan.n
