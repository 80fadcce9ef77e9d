"""Verbalized sampling: several answers with probabilities out of one generation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.contexts.files import load_context
from alignbench.errors import InputError
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import Run, RunEvent, TextArrived
from alignbench.experiments.verbalized import answers, drawn, given_by, schema
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import SampleRow, Store
from tests.support.fakes import FakePool
from tests.support.pools import shared_pool

PROMPT = Prompt("p1", "Why do people keep diaries?")
ASKING = Context("chat", "several", verbalized=3, instruction="Give {answers} answers.")
CONDITION = Condition("vs", Model("good", "demo-smollm2", "aligned"), ASKING)


def reply(*texts: str, probability: object = 0.25) -> str:
    return json.dumps({"answers": [{"text": text, "probability": probability} for text in texts]})


def pool_of(*replies: str, **fields: object) -> FakePool:
    """Generation g of three answers says reply g."""
    return FakePool(texts={"good": [replies[i // 3 % len(replies)] for i in range(3 * len(replies))]}, **fields)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def run(store: Store, session: int, pool: FakePool, n: int) -> list[RunEvent]:
    return list(Run(make_plan(store, session, [PROMPT], (CONDITION,), n), pool, store))


def rows(store: Store) -> list[SampleRow]:
    return list(store.samples(1))


def test_every_answer_is_a_sample_with_its_probability(store: Store) -> None:
    said = reply("one", "two", "three")
    pool = pool_of(said, reply("four", "five", "six"))
    run(store, store.create_session("t"), pool, 5)
    request = pool.requests[0][1]
    assert request.samples == (0, 3)
    assert json.loads(request.schema)["properties"]["answers"]["minItems"] == 3
    assert "Give 3 answers." in request.context
    assert [row.text for row in rows(store)] == ["one", "two", "three", "four", "five"]
    assert {(row.status, row.probability, row.n_tokens, row.logprob) for row in rows(store)} == {
        ("done", 0.25, None, None)
    }
    assert [row.seed for row in rows(store)] == [0, 1, 2, 3, 4]
    assert rows(store)[2].raw_text == said


def test_running_again_draws_only_the_generations_of_what_is_missing(store: Store) -> None:
    session = store.create_session("t")
    run(store, session, pool_of(reply("one", "two", "three")), 2)
    more = pool_of(reply("other", "others", "three"), reply("four", "five", "six"))
    run(store, session, more, 6)
    assert [request.samples for _, request in more.requests] == [(0, 3)]
    assert [row.text for row in rows(store)] == ["one", "two", "three", "four", "five", "six"]
    nothing = pool_of("")
    run(store, session, nothing, 6)
    assert nothing.requests == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Certainly! One, two and three.", "there is no JSON object in the reply"),
        (reply("one", "two"), "answers has 2 items; expected 3"),
        (reply("one", "two", " "), "text is empty; expected a text"),
        (reply("one", "two", "three", probability=30), "probability is 30; expected a number from 0 to 1"),
        (reply("one", "two", "three", probability="high"), "expected a number from 0 to 1"),
    ],
)
def test_a_reply_that_cannot_be_taken_apart_is_an_error_of_its_samples_alone(store: Store, said: str, why: str) -> None:
    session = store.create_session("t")
    run(store, session, pool_of(said, reply("four", "five", "six")), 6)
    parsed = rows(store)
    assert [row.status for row in parsed] == ["error"] * 3 + ["done"] * 3
    message = parsed[0].error or ""
    assert "Generation 1 gave no 3 answers with probabilities" in message
    assert why in message
    assert f"It began: {said[:20]!r}"[:-1] in message
    run(store, session, pool_of(reply("one", "two", "three")), 6)
    assert {row.status for row in rows(store)} == {"done"}


def test_text_around_the_object_and_numbers_as_texts_are_taken() -> None:
    parsed = answers(f"Sure: {reply('one', 'two', probability='0.5')} I hope that helps.", 2)
    assert [(answer.text, answer.probability) for answer in parsed] == [("one", 0.5), ("two", 0.5)]


def test_a_cancelled_generation_leaves_its_samples_cancelled(store: Store) -> None:
    session = store.create_session("t")
    plan = make_plan(store, session, [PROMPT], (CONDITION,), 6)
    work = Run(plan, pool_of(reply("one", "two", "three"), delay=0.05), store)
    for event in work:
        if isinstance(event, TextArrived):
            assert {delta.sample for delta in event.deltas} <= {0, 3}
            work.cancel(event.cell.id, 4)
    statuses = [row.status for row in rows(store)]
    assert statuses[:3] == ["done"] * 3
    assert len(set(statuses[3:])) == 1, "the answers of a generation end together"


def test_streamed_text_stands_at_the_first_sample_that_is_missing(store: Store) -> None:
    session = store.create_session("t")
    pool = pool_of(reply("one", "two", "three"))
    run(store, session, pool, 1)
    events = run(store, session, pool, 3)
    assert {d.sample for event in events if isinstance(event, TextArrived) for d in event.deltas} == {1}


def test_without_it_every_sample_is_drawn_for_itself() -> None:
    plain = replace(ASKING, verbalized=0)
    assert drawn(plain, (1, 4)) == (1, 4)
    assert given_by(plain, 4, (1, 4)) == (4,)


@pytest.mark.parametrize("more", ['[prefill]\ntext = "It"', 'thinking_end = "</think>"', '[hint]\nlevel = "first"'])
def test_a_context_that_says_something_before_its_answers_is_refused(tmp_path: Path, more: str) -> None:
    (tmp_path / "c.toml").write_text(f'template = "plain"\nverbalized = 3\n{more}\n', encoding="utf-8")
    with pytest.raises(InputError, match="field verbalized: 3; expected no prefill"):
        load_context(str(tmp_path / "c.toml"))


@pytest.mark.models
def test_a_real_model_is_held_to_the_form(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are kept short, so that none is cut: then every reply is two answers, unless one of them is empty."""

    def terse(m: int) -> str:
        form = json.loads(schema(m))
        form["properties"]["answers"]["items"]["properties"] = {
            "text": {"type": "string", "minLength": 1, "maxLength": 8},
            "probability": {"enum": [0.25, 0.5, 1]},
        }
        return json.dumps(form)

    for module in ("verbalized", "runner"):
        monkeypatch.setattr(f"alignbench.experiments.{module}.schema", terse)
    context = replace(load_context("verbalized"), verbalized=2)
    aligned = Model("demo-smollm2", "demo-smollm2", "aligned")
    condition = Condition("vs", aligned, context, Sampling(max_tokens=400))
    list(Run(make_plan(store, store.create_session("t"), [PROMPT], (condition,), 4), shared_pool(), store))
    samples = rows(store)
    assert len(samples) == 4
    for row in samples:
        if row.status == "done":
            assert 1 <= len(row.text) <= 8
            assert row.probability in (0.25, 0.5, 1)
        else:
            assert "gave no 2 answers" in (row.error or "")
            assert "text is empty" in (row.error or "")
