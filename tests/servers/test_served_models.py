"""What the OpenAI engine does with real servers: the same for each of them."""

from __future__ import annotations

import json
import queue
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.contexts.rendering import render
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.request import Server
from alignbench.engines.protocol import (
    CHAT_PROBE,
    Done,
    Event,
    Failed,
    Finished,
    LikelihoodRequest,
    Scored,
    TextDeltas,
    Tokenized,
)
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.likelihood import score_response
from alignbench.models.hf_source import HfSource
from alignbench.models.server_settings import ServerSettings
from alignbench.prompt_parts import Turn
from alignbench.spec import Context, Prompt
from tests.support.commands import alignbench
from tests.support.driving import SCHEMA, follow, plain_request, results, score
from tests.support.served import Served
from tests.support.waiting import LIMIT

pytestmark = [pytest.mark.models, pytest.mark.slow]

TEXT = " It is a good idea to take a walk, to sleep well and to talk with friends about what happened at work."
CHAT = (("user", "Name three colours."),)


@pytest.fixture
def tells_tokens(served: Served) -> None:
    """Not of a server that has no tokenizer to ask: it scores no chats, and of texts those alone that have a BOS."""
    if served.model.name == "smol-llama-cpp":
        pytest.skip("llama_cpp.server tells no tokens")


@pytest.mark.usefixtures("tells_tokens")
def test_what_the_server_tells_of_the_model(pool: WorkerPool, served: Served) -> None:
    known = pool.capabilities(served.model)
    assert known is not None
    local = pool.capabilities(served.local)
    assert local is not None
    for name in ("chat_template", "bos", "eos", "adds_bos"):
        assert getattr(known, name) == getattr(local, name), name
    turns = tuple(Turn(role, content) for role, content in CHAT_PROBE[:-1])
    assert known.chat_probe == render(Prompt("p", CHAT_PROBE[-1][1], earlier=turns), Context("chat"), local).text


def test_samples_of_one_request_differ_and_have_log_probs(pool: WorkerPool, served: Served) -> None:
    request = plain_request(4, max_tokens=16, temperature=1.5, stops=())
    found = results(follow(pool, served.model, request))
    assert sorted(found) == [0, 1, 2, 3]
    assert len({result.raw_text for result in found.values()}) > 1
    for result in found.values():
        assert result.n_tokens is not None
        assert 0 < result.n_tokens <= 16
        assert np.isfinite(result.tokens.logprob).all()
        assert (result.tokens.logprob <= 0).all()
        assert result.logprob == pytest.approx(float(result.tokens.logprob.sum()), abs=1e-3)


def test_chats_and_texts_come_with_token_ids(pool: WorkerPool, served: Served) -> None:
    for request in (plain_request(2, max_tokens=8), replace(plain_request(2, max_tokens=8), messages=CHAT)):
        for result in results(follow(pool, served.model, request)).values():
            if len(result.tokens.ids) and (request.messages or "vllm" in served.model.name):
                assert (result.tokens.ids >= 0).all()


def test_a_response_ends_before_a_stop(pool: WorkerPool, served: Served) -> None:
    request = plain_request(4, max_tokens=48, temperature=1.0, stops=("e",))
    for result in results(follow(pool, served.model, request)).values():
        assert "e" not in result.text
        assert result.finish_reason in ("stop", "length")


def test_many_cells_come_to_their_ends(pool: WorkerPool, served: Served) -> None:
    """Strict mode, different contexts: a server gets all of them."""
    known = pool.capabilities(served.model)
    assert known is not None
    assert known.lanes > 1 or "llama-cpp" in served.model.name
    events: queue.Queue[Event] = queue.Queue()
    requests = [plain_request(2, context=f"{i}", max_tokens=12, stops=()) for i in range(8)]
    for request in requests:
        pool.sample(served.model, request, events.put)
    finished: dict[int, int] = {}
    ended: set[int] = set()
    while len(ended) < len(requests):
        match events.get(timeout=LIMIT):
            case Finished(key=key):
                finished[key] = finished.get(key, 0) + 1
            case Done(key=key):
                ended.add(key)
            case Failed() as failed:
                raise AssertionError(failed)
            case _:
                pass
    assert finished == dict.fromkeys(ended, 2)


def test_a_cancelled_request_ends_and_the_server_goes_on(pool: WorkerPool, served: Served) -> None:
    request = plain_request(2, max_tokens=1500, temperature=1.0, stops=())

    def stop_it(event: Event) -> None:
        if isinstance(event, TextDeltas):
            pool.cancel(served.model, request.key)

    events = follow(pool, served.model, request, stop_it)
    assert {event.result.finish_reason for event in events if isinstance(event, Finished)} <= {"cancelled", "stop"}
    assert results(follow(pool, served.model, plain_request(1, max_tokens=4)))


def test_a_reply_is_held_to_a_schema(pool: WorkerPool, served: Served) -> None:
    request = replace(plain_request(2, max_tokens=120, temperature=1.0, stops=()), messages=CHAT, schema=SCHEMA)
    for result in results(follow(pool, served.model, request)).values():
        if result.finish_reason == "stop":
            reply = json.loads(result.text)
            assert {*reply} == {"why", "grade"}
            assert reply["grade"] in (1, 2, 3, "N/A")


def _agree(pool: WorkerPool, served: Served, prompt: Prompt, context: Context, text: str) -> None:
    theirs = score_response(pool, served.model, context, prompt, text)
    ours = score_response(pool, served.local, context, prompt, text)
    assert theirs.ids.tolist() == ours.ids.tolist()
    assert theirs.pieces == ours.pieces
    assert theirs.n_context_tokens == ours.n_context_tokens
    assert (theirs.end is not None) == (context.template == "chat")  # other texts close an answer in the plain layout
    if theirs.end is not None:
        assert theirs.end == pytest.approx(ours.end, abs=1.0)
    # llama.cpp rounds activations by the width of a batch, which is one here and many there
    exact = "vllm" in served.model.name
    assert np.abs(theirs.logprob - ours.logprob).mean() < (0.01 if exact else 0.1)
    assert ((theirs.rank == 1) == (ours.rank == 1)).mean() >= (1.0 if exact else 0.75)
    assert (theirs.top_ids[:, 0] == ours.top_ids[:, 0]).mean() >= (1.0 if exact else 0.75)


@pytest.mark.usefixtures("tells_tokens")
@pytest.mark.parametrize("template", ["chat", "plain"])
def test_a_given_response_costs_what_it_costs_in_our_engines(pool: WorkerPool, served: Served, template: str) -> None:
    _agree(pool, served, Prompt.typed("How do I relax after work?"), Context(template, instruction="Be kind."), TEXT)
    _agree(pool, served, Prompt.typed("日本語?"), Context(template), "naïve — 日本語のテキスト 👍🏽")


@pytest.mark.usefixtures("tells_tokens")
def test_texts_that_are_scored_side_by_side_cost_what_they_cost_alone(pool: WorkerPool, served: Served) -> None:
    requests = [
        LikelihoodRequest(
            pool.new_key(), "<|im_start|>user\n", f"Why {i % 3}?<|im_end|>\n", TEXT[: 20 * (i + 1)], top=1
        )
        for i in range(5)
    ]
    answers: queue.Queue[Scored | Failed] = queue.Queue()
    for request in requests:
        pool.score(served.model, request, answers.put)
    together = {}
    while len(together) < len(requests):
        answer = answers.get(timeout=LIMIT)
        assert isinstance(answer, Scored), answer
        together[answer.key] = answer
    for request in requests:
        pool.score(served.model, replace(request, key=pool.new_key()), answers.put)
        alone = answers.get(timeout=LIMIT)
        assert isinstance(alone, Scored), alone
        assert alone.ids.tolist() == together[request.key].ids.tolist()
        assert np.abs(alone.logprob - together[request.key].logprob).mean() < 0.1


@pytest.mark.usefixtures("tells_tokens")
def test_what_was_sampled_costs_what_sampling_said(pool: WorkerPool, served: Served) -> None:
    request = plain_request(1, max_tokens=24, temperature=1.0, stops=())
    (sample,) = results(follow(pool, served.model, request)).values()
    scored = score(pool, served.model, request, sample.raw_text)
    if len(scored.logprob) == len(sample.tokens.logprob):  # the same text may be other tokens
        assert np.abs(scored.logprob - sample.tokens.logprob).mean() < 0.1


@pytest.mark.usefixtures("tells_tokens")
def test_tokens_are_those_of_our_engines(pool: WorkerPool, served: Served) -> None:
    texts = ("Hello  world\n\n", "日本語のテキスト 👍🏽", "<|im_start|>user\nhi<|im_end|>\n", "")
    found = []
    for model in (served.model, served.local):
        answers: queue.Queue[object] = queue.Queue()
        pool.tokenize(model, texts, answers.put)
        answer = answers.get(timeout=LIMIT)
        assert isinstance(answer, Tokenized), answer
        found.append((answer.ids, answer.pieces))
    assert found[0] == found[1]


# Commands


@pytest.mark.usefixtures("tells_tokens")
def test_likelihood_of_a_chat_model(served: Served) -> None:
    totals = []
    for model in (served.model, served.local):
        ran = alignbench(
            *(
                "likelihood",
                "--model",
                model.reference,
                "--prompt",
                "Why is the sky blue?",
                "--response",
                TEXT,
                "--json",
            )
        )
        assert ran.returncode == 0, ran.stderr
        totals.append(json.loads(ran.stdout.splitlines()[-1])["totals"])
    theirs, ours = totals
    assert theirs["n_tokens"] == ours["n_tokens"]
    assert theirs["bits_per_byte"] == pytest.approx(ours["bits_per_byte"], rel=0.05)


@pytest.mark.usefixtures("tells_tokens")
def test_ledger_of_a_chat_model(served: Served, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"id": f"p{i}", "prompt": f"Name {i} colours."}) + "\n" for i in (2, 3)))
    ran = alignbench(
        "ledger", "--teacher", served.model.reference, "--base", "demo-base", "--prompts", str(prompts), "-n", "2",
        "--max-tokens", "12", "--contexts", "instruction", "--json", "--db", str(tmp_path / "a.db"),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert "renders chats itself" not in ran.stdout + ran.stderr
    assert said


def test_a_survey_is_read_off_log_probs(served: Served, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    question = {"id": "city", "prompt": "What suits a city?", "options": ["Bus", "Tram", "Neither"]}
    questions.write_text(json.dumps(question) + "\n")
    ways, shares = [], []
    for model in (served.model, served.local):
        ran = alignbench(
            "survey", str(questions), "--condition", f"voter={model.reference}", "--by", "logprob", "--orders", "given",
            "--json", "--db", str(tmp_path / "a.db"),
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        (row,) = map(json.loads, ran.stdout.splitlines())
        ways.append(row["by"])
        shares.append(row["p"])
    if "llama-cpp" in served.model.name:
        assert ways == ["first_token", "logprob"]
        assert sum(shares[0]) == pytest.approx(1.0, abs=1e-6)
        return
    assert ways == ["logprob", "logprob"]
    assert shares[0] == pytest.approx(shares[1], abs=0.05)


def test_a_judge_is_held_to_its_form(served: Served, tmp_path: Path) -> None:
    database = str(tmp_path / "a.db")
    drawn = alignbench(
        "sample", "--model", "demo-base", "--prompt", "Why?", "-n", "2", "--max-tokens", "8", "--db", database
    )
    assert drawn.returncode == 0, drawn.stderr
    ran = alignbench("judge", "1", "--kind", "quality", "--model", served.model.reference, "--db", database, "--json")
    assert ran.returncode == 0, ran.stderr
    assert "unparsed" not in ran.stderr


@pytest.mark.parametrize("known", ["vLLM", "somebody's"])
def test_a_tokenizer_of_this_machine_scores_as_the_servers_own(
    vllm: Served, folder: Path, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a gateway that lets only the API through, and where it does not even say that it is vLLM."""
    settings = ServerSettings(headers=(("Authorization", f"Bearer {vllm.key}"),), tokenizer=HfSource(str(folder)))
    request = LikelihoodRequest(1, "<|im_start|>user\n", "Why 12?<|im_end|>\n<|im_start|>assistant\n", TEXT, top=3)
    own = OpenAIEngine(vllm.model, Cancellation(), settings)
    monkeypatch.setattr("alignbench.engines.openai.prompt_tokens.tokenizer_of", lambda *_: None)
    if known != "vLLM":
        monkeypatch.setattr("alignbench.engines.openai.remote_model.server_of", lambda _: Server(""))
    ours = OpenAIEngine(vllm.model, Cancellation(), settings)
    try:
        assert ours.capabilities().chat_template == own.capabilities().chat_template
        expected, scored = own.score(request), ours.score(request)
    finally:
        own.close()
        ours.close()
    assert (scored.ids.tolist(), scored.n_context_tokens) == (expected.ids.tolist(), expected.n_context_tokens)
    assert scored.logprob == pytest.approx(expected.logprob, abs=0.05)
    assert (scored.rank[expected.rank == 1] == 1).mean() > 0.9
