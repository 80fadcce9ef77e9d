"""Judging a session: what is asked, asked again, kept, left out, resumed and cancelled."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alignbench.engines.protocol import Done, Failed, Finished, SampleRequest, Sink, Started
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError, InputError
from alignbench.judging.equivalences import read_equivalences
from alignbench.judging.plan import JudgePlan, plan_judging
from alignbench.judging.runner import ATTEMPTS, Judged, JudgeEvent, JudgeFailed, JudgeRun
from alignbench.judging.summary import judged_tables
from alignbench.judging.templates import judge_template
from alignbench.models.catalog import resolve
from alignbench.spec import Model
from alignbench.store import Store
from tests.support.fakes import FakePool
from tests.support.judged import fill
from tests.support.samples import result
from tests.support.waiting import LIMIT

JUDGE = Model("critic", "llama:/critic.gguf", "aligned")
GOOD = json.dumps({"rationale": "r", "stance": "yes"})


@dataclass
class Judge(FakePool):
    """Replies to a request as `reply` says; a reply that is an exception fails the request."""

    reply: Callable[[SampleRequest], str | Exception] = lambda _: GOOD
    held: bool = False  # answers only when it is cancelled
    asked: threading.Event = field(default_factory=threading.Event)

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:  # noqa: ARG002
        self.asked.set()
        sink(Started(request.key, (1,), 0, 0.0))
        if self.held:
            return
        reply = self.reply(request)
        if isinstance(reply, Exception):
            sink(Failed(request.key, str(reply)))
        else:
            sink(Finished(request.key, self._result(0, [reply], "stop")))
            sink(Done(request.key))

    def cancel(self, model: Model, key: int, samples: object = None) -> None:  # noqa: ARG002
        sink = self.sinks[key]
        sink(Finished(key, self._result(0, ["half"], "cancelled")))
        sink(Done(key))

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self.sinks[request.key] = sink
        super().sample(model, request, sink)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sinks: dict[int, Sink] = {}


def run(store: Store, pool: Judge, kind: str = "stance", **given: str) -> list[JudgeEvent]:
    return list(JudgeRun(plan_judging(store, 1, kind, JUDGE, **given), pool, store))


def test_every_finished_sample_is_judged_once(store: Store) -> None:
    fill(store, prompts=2, n=3)
    store.add_error(1, 3, "lost")
    pool = Judge()
    judged = [event for event in run(store, pool) if isinstance(event, Judged)]
    assert len(judged) == len({event.item.sample_id for event in judged}) == 12
    rows = list(store.judgments(1))
    assert {row.judgment.judge for row in rows} == {"llama:/critic.gguf"}
    assert {row.judgment.template_hash for row in rows} == {judge_template("stance").hash}
    assert all(row.judgment.fields == {"stance": "yes"} and row.judgment.reply == GOOD for row in rows)
    pool.requests.clear()
    assert run(store, pool) == []
    assert pool.requests == []


def test_what_a_judge_is_asked(store: Store) -> None:
    fill(store, prompts=1, n=1)
    pool = Judge()
    run(store, pool)
    (_, first), (_, second) = pool.requests
    template = judge_template("stance")
    assert first.context == second.context, "the instructions are read once"
    assert first.context.endswith(template.instructions)
    assert "Why 0?" in first.query
    assert "demo-base says 0 0" in first.query
    assert first.schema == template.schema
    assert (first.sampling.temperature, first.sampling.max_tokens) == (0.0, template.max_tokens)


def test_a_reply_that_cannot_be_read_is_asked_for_again_and_kept_when_it_stays(store: Store) -> None:
    fill(store, prompts=1, n=1)
    prose = "I think it says yes."

    def reply(request: SampleRequest) -> str:
        return GOOD if "demo-base" in request.query and request.seed == 1 else prose

    pool = Judge(reply=reply)
    judged = {event.item.condition: event for event in run(store, pool) if isinstance(event, Judged)}
    base, aligned = judged["demo-base"], judged["demo-smollm2"]
    assert (base.judgment.status, base.asked) == ("valid", 2)
    assert (aligned.judgment.status, aligned.asked) == ("invalid", ATTEMPTS)
    assert aligned.judgment.reply == prose
    assert "no JSON object" in aligned.judgment.reason
    tries = [request for _, request in pool.requests if "demo-smollm2" in request.query]
    assert [request.seed for request in tries] == [0, 1, 2]
    assert [request.sampling.temperature > 0 for request in tries] == [False, True, True]
    assert len({request.key for request in tries}) == ATTEMPTS
    pool.requests.clear()
    assert run(store, pool) == []


def test_pairs_are_of_one_prompt_and_index_and_half_of_them_flipped(store: Store) -> None:
    samples = fill(store, prompts=30, n=2)
    pool = Judge(reply=lambda _: json.dumps({"rationale": "", "score": 3}))
    judged = [event for event in run(store, pool, "new-information") if isinstance(event, Judged)]
    assert len(judged) == 60
    for event in judged:
        item = event.item
        assert item.condition == "demo-base"
        assert item.reference_sample_id == samples[int(item.prompt_id[1:]), "demo-smollm2", item.sample]
    orders = Counter(event.judgment.flipped for event in judged)
    assert 15 <= orders[True] <= 45
    for _, request in pool.requests:
        new, known = (request.query.index(f"<{tag}-answer>") for tag in ("new", "known"))
        assert "demo-base says" in request.query[new : new + 40]
        assert "demo-smollm2 says" in request.query[known : known + 40]
    assert orders[True] == sum(
        request.query.index("<new-answer>") < request.query.index("<known-answer>") for _, request in pool.requests
    )


def test_the_seed_decides_the_order(store: Store) -> None:
    fill(store, prompts=20)
    orders = [[item.flipped for item in plan_judging(store, 1, "topics", JUDGE, seed=seed).items] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_an_empty_response_is_not_asked_about(store: Store) -> None:
    fill(store, prompts=1, n=1, texts={(0, "demo-base", 0): " \n"})
    pool = Judge()
    judged = {event.item.condition: event for event in run(store, pool) if isinstance(event, Judged)}
    assert judged["demo-base"].judgment.status == "na"
    assert judged["demo-base"].judgment.reason == "the response is empty"
    assert judged["demo-base"].asked == 0
    assert len(pool.requests) == 1


def test_a_request_that_fails_is_not_stored_and_the_next_run_tries_again(store: Store) -> None:
    fill(store, prompts=1, n=2)
    failing = Judge(reply=lambda r: EngineError("too long") if "demo-base" in r.query else GOOD)
    events = run(store, failing)
    failed = [event for event in events if isinstance(event, JudgeFailed)]
    assert [(event.item.condition, event.message) for event in failed] == [("demo-base", "too long")] * 2
    assert len(list(store.judgments(1))) == 2
    assert sum(isinstance(event, Judged) for event in run(store, Judge())) == 2


def test_a_judge_that_cannot_be_loaded_is_an_error(store: Store) -> None:
    fill(store)
    with pytest.raises(EngineError, match="no such file"):
        run(store, Judge(fail={"critic": "no such file"}))


def test_cancel_from_another_thread_keeps_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "judged.db"
    with Store.open(path) as store:
        fill(store, prompts=40, n=2)
        plan = plan_judging(store, 1, "stance", JUDGE)
        pool = Judge(held=True)
        judging = JudgeRun(plan, pool, store)

        def cancel() -> None:
            assert pool.asked.wait(LIMIT)
            judging.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        assert not any(isinstance(event, Judged) for event in judging)
        canceller.join()
        assert list(store.judgments(1)) == []
        assert len(plan_judging(store, 1, "stance", JUDGE).items) == plan.n


def test_what_cannot_be_planned_says_so(store: Store) -> None:
    session = store.create_session("empty")

    def plan(kind: str, **given: str) -> JudgePlan:
        return plan_judging(store, session, kind, JUDGE, **given)

    for kind, given, message in (
        ("stanze", {}, "Did you mean stance"),
        ("stance", {}, "no finished samples"),
        ("topics", {}, "name one with --reference"),
        ("topics", {"reference": "nobody"}, "no condition named 'nobody'"),
    ):
        with pytest.raises(InputError, match=message):
            plan(kind, **given)
    for kind in ("stance", "topics"):
        with pytest.raises(InputError, match="There is no session 7"):
            plan_judging(store, 7, kind, JUDGE)


@pytest.mark.models
def test_a_judge_that_is_killed_is_started_again(store: Store) -> None:
    fill(store, prompts=20, n=2)
    judge = resolve("demo-smollm2")
    pool = WorkerPool(threads=2)
    try:
        events: list[JudgeEvent] = []
        for event in JudgeRun(plan_judging(store, 1, "stance", judge), pool, store):
            events.append(event)
            if sum(isinstance(seen, Judged) for seen in events) == 1 and isinstance(event, Judged):
                pid = pool.worker_pid(judge)
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
    finally:
        pool.close()
    failed = [event for event in events if isinstance(event, JudgeFailed)]
    assert failed
    assert any("died (killed by SIGKILL)" in event.message for event in failed)
    # What was sent between the death and its being noticed found no worker.
    assert all("died (killed by SIGKILL)" in e.message or "is not loaded" in e.message for e in failed)
    stored = {row.judgment.sample_id for row in store.judgments(1)}
    assert len(stored) == 80 - len(failed) > 1
    assert {item.sample_id for item in plan_judging(store, 1, "stance", judge).items} == {
        event.item.sample_id for event in failed
    }


def test_a_set_is_shown_whole_and_judged_again_where_it_has_grown(store: Store) -> None:
    fill(store, prompts=1, n=3, texts={(0, "demo-base", 1): " "})
    asked: list[str] = []

    def reply(request: SampleRequest) -> str:
        text = request.context + request.query
        asked.append(text)
        answers = json.loads(request.schema or "")["properties"]["answers"]
        assert answers["minItems"] == answers["maxItems"] == text.count("<answer number=")
        return json.dumps({"answers": [{"topics": ["habit"]}] * text.count("<answer number=")})

    pool = Judge(reply=reply)
    judged = [event for event in run(store, pool, "set-topics") if isinstance(event, Judged)]
    assert {(event.item.condition, len(event.item.members)) for event in judged} == {
        ("demo-base", 2),  # the empty response says nothing
        ("demo-smollm2", 3),
    }
    assert all(event.judgment.status == "valid" for event in judged)
    assert "demo-smollm2 says 0 0" in asked[1]
    assert "demo-smollm2 says 0 2" in asked[1]
    assert not plan_judging(store, 1, "set-topics", JUDGE).items
    cell = next(cell.id for cell in store.cells(1) if cell.condition == "demo-base")
    store.add_sample(cell, result(3, "more"))
    assert [len(item.members) for item in plan_judging(store, 1, "set-topics", JUDGE).items] == [3]


def test_responses_of_a_condition_are_compared_with_one_of_each_answer(store: Store) -> None:
    samples = fill(store, prompts=1, n=3, texts={(0, "demo-base", 1): " ", (0, "demo-base", 2): "another"})

    def reply(request: SampleRequest) -> str:
        text = request.context + request.query
        return json.dumps({"rationale": "", "answer": "different" if "another" in text else "same"})

    judged = [event for event in run(store, Judge(reply=reply), "equivalence") if isinstance(event, Judged)]
    pairs = {(event.item.condition, event.judgment.reference_sample_id, event.item.sample_id) for event in judged}
    aligned = [samples[0, "demo-smollm2", i] for i in range(3)]
    base = [samples[0, "demo-base", i] for i in (0, 2)]
    assert pairs == {
        ("demo-base", base[0], base[1]),
        *(("demo-smollm2", aligned[i], aligned[j]) for i, j in ((0, 1), (0, 2))),
    }
    assert not plan_judging(store, 1, "equivalence", JUDGE).items
    known = read_equivalences(store, 1)
    assert known.judge == JUDGE.reference
    assert known.of["demo-base", "q0"] == {(0, 2): False}
    assert known.of["demo-smollm2", "q0"] == {(0, 1): True, (0, 2): True}
    table = judged_tables(store, 1, reference="demo-smollm2")["equivalence"]
    assert {name: fields["same"].value for name, fields in table.items()} == {
        "demo-base": 0.0,
        "demo-smollm2": 1.0,
    }
    assert [fields["distinct"].value for fields in table.values()] == [2.0, 1.0]


def test_different_answers_are_compared_further(store: Store) -> None:
    fill(store, prompts=2, n=4, texts={(p, "demo-base", i): "abca"[i] * 3 for p in range(2) for i in range(4)})

    def reply(request: SampleRequest) -> str:
        first, second = re.findall(r"<answer>\s*(.)", request.context + request.query)
        return json.dumps({"rationale": "", "answer": "same" if first == second else "different"})

    plan = plan_judging(store, 1, "equivalence", JUDGE)
    assert (plan.requests, len(plan.items), plan.n) == ((12, 24), 12, 24)
    judged = [event for event in run(store, Judge(reply=reply), "equivalence") if isinstance(event, Judged)]
    of_base = [event for event in judged if event.item.condition == "demo-base"]
    assert (len(of_base), len(judged)) == (2 * 4, 2 * 4 + 2 * 3)
    table = judged_tables(store, 1)["equivalence"]
    assert table["demo-base"]["distinct"].value == 3
    assert table["demo-base"]["same"].value == pytest.approx(1 / 6)
    assert table["demo-base"]["distinct"].ci == (3.0, 3.0)
    assert not plan_judging(store, 1, "equivalence", JUDGE).items
    cell = next(cell.id for cell in store.cells(1) if cell.condition == "demo-base")
    store.add_sample(cell, result(4, "bbb"))
    again = plan_judging(store, 1, "equivalence", JUDGE)
    assert (len(again.items), again.requests) == (1, (1, 3)), "with the first answer, maybe with the two others"
