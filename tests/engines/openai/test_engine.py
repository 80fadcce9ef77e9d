"""The engine for OpenAI-compatible servers: faults on a scripted server, the rest on llama-cpp-python's own."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai import http
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.request import seed_of
from alignbench.engines.protocol import (
    Done,
    Event,
    Failed,
    Finished,
    LikelihoodRequest,
    SampleRequest,
    SampleResult,
    Started,
    TextDeltas,
)
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError, InputError
from alignbench.models.catalog import inventory, resolve, weights_path
from alignbench.models.hf_source import HfSource
from alignbench.models.openai_address import parse_address
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Model
from tests.support.commands import alignbench
from tests.support.driving import plain_request, results, score
from tests.support.hf_folders import byte_tokenizer
from tests.support.server import DONE, HTML, MODEL, Reply, ScriptedServer, as_json, piece, refusal, response, text_of
from tests.support.waiting import LIMIT

Connect = Callable[..., OpenAIEngine]


def sample(
    engine: OpenAIEngine, *requests: SampleRequest, watch: Callable[[Event], None] = lambda _: None
) -> list[Event]:
    events = []
    for event in engine.sample(requests):
        events.append(event)
        watch(event)
    return events


def finished(events: list[Event]) -> dict[int, SampleResult]:
    return {event.result.sample: event.result for event in events if isinstance(event, Finished)}


def failure(events: list[Event]) -> str:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1].message


def shown(events: list[Event], sample: int) -> str:
    return "".join(d.text for e in events if isinstance(e, TextDeltas) for d in e.deltas if d.sample == sample)


def chat_request(n: int = 1, **fields: object) -> SampleRequest:
    return replace(plain_request(n, stops=(), **fields), messages=(("user", "why?"),))  # type: ignore[arg-type]


# What a model is


def test_what_the_server_says_of_the_model(connect: Connect) -> None:
    capabilities = connect().capabilities()
    assert capabilities.kind == "aligned"
    assert capabilities.n_ctx_train == 4096
    assert capabilities.renders_chat
    assert connect(kind="base").capabilities().kind == "base"


def test_context_length_of_llama_server(server: ScriptedServer, connect: Connect) -> None:
    entry = {"id": MODEL, "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192, "n_vocab": 32000}}
    server.models = as_json({"data": [entry]})
    capabilities = connect().capabilities()
    assert (capabilities.n_ctx_train, capabilities.n_vocab) == (8192, 32000)
    assert "llama-server" in capabilities.description


def test_a_wrong_model_name_is_told_the_nearest(connect: Connect) -> None:
    with pytest.raises(EngineError, match=r"serves no 'some-modle'\. Did you mean some-model"):
        connect(name="some-modle")


def test_a_server_that_is_down_is_known_at_once(server: ScriptedServer, connect: Connect) -> None:
    server.close()
    start = time.perf_counter()
    with pytest.raises(EngineError, match=r"cannot be reached .*Is it running"):
        connect()
    assert time.perf_counter() - start < LIMIT


def test_a_server_that_is_slow(server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.1)
    server.models = replace(server.models, pause=1.0)
    with pytest.raises(EngineError, match="sent nothing for 0 s"):
        connect()


def test_a_web_page_is_no_answer(server: ScriptedServer, connect: Connect) -> None:
    server.models = HTML
    with pytest.raises(EngineError, match=r"web page \(HTML\)"):
        connect()


def test_a_path_without_v1(server: ScriptedServer, connect: Connect) -> None:
    with pytest.raises(EngineError, match=r"has no /models.*Most servers want /v1"):
        connect(server.url.removesuffix("/v1"))


@pytest.mark.parametrize(("key", "said"), [("", "not set"), ("sk-secret", "set, but not accepted")])
def test_access_refused_names_the_variable_and_not_the_key(
    key: str, said: str, server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.models = refusal(401, f"Incorrect API key provided: {key}")
    with pytest.raises(EngineError, match=f"OPENAI_API_KEY, which is {said}") as caught:
        connect()
    assert not key or key not in str(caught.value)


def test_the_key_goes_into_the_header(
    server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    connect()
    assert "Authorization" not in server.headers[-1]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    engine = connect()
    assert server.headers[-1]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(engine.capabilities())


def test_a_server_that_is_still_loading_is_waited_for(server: ScriptedServer, connect: Connect) -> None:
    good, server.models = server.models, refusal(503, "Loading model")
    with pytest.raises(EngineError, match="Loading model Given up after 5 tries"):
        connect()
    server.models = good
    connect()


def test_a_server_that_does_not_echo_is_asked_once(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    for _ in range(2):
        with pytest.raises(EngineError, match=r"This server does not echo a text it is given\. Score with a local"):
            engine.score(LikelihoodRequest(1, "", "a", "b"))
    (body,) = server.tried
    assert body == {
        "model": MODEL, "prompt": "a", "max_tokens": 1, "temperature": 1.0, "echo": True, "logprobs": 5,
    }  # fmt: skip


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a cancellation ends a wait before a test would fail."""
    for name in ("READ_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(http, name, 3 * LIMIT)


@pytest.mark.usefixtures("patient")
def test_scoring_can_be_cancelled(server: ScriptedServer, connect: Connect, cancellation: Cancellation) -> None:
    engine = connect()
    server.trial = replace(as_json({}), pause=2 * LIMIT)
    threading.Timer(0.2, cancellation.cancel, (7, None)).start()
    start = time.perf_counter()
    with pytest.raises(EngineError, match="cancelled"):
        engine.score(LikelihoodRequest(7, "", "a", "b"))
    assert time.perf_counter() - start < LIMIT


# Requests


def test_every_parameter_is_sent(server: ScriptedServer, connect: Connect) -> None:
    request = plain_request((3,), top_k=5, min_p=0.1, top_p=0.9, typical_p=0.8, repetition_penalty=1.2, temperature=0.3)
    sample(connect(), request)
    (body,) = server.requests
    seed = body.pop("seed")
    assert seed == seed_of(request, 3)
    assert body == {
        "model": MODEL,
        "prompt": request.context + request.query,
        "max_tokens": 24,
        "temperature": 0.3,
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "typical_p": 0.8,
        "repetition_penalty": 1.2,
        "repeat_penalty": 1.2,
        "repeat_last_n": -1,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "stop": ["```"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_what_is_off_is_sent_as_off(server: ScriptedServer, connect: Connect) -> None:
    sample(connect(), plain_request(1))
    off = {"top_k": 0, "min_p": 0, "typical_p": 1, "repetition_penalty": 1, "repeat_penalty": 1, "top_p": 1}
    assert off.items() <= server.requests[0].items()
    assert "repeat_last_n" not in server.requests[0]


def test_chat_sends_messages(server: ScriptedServer, connect: Connect) -> None:
    events = sample(connect(), chat_request())
    (body,) = server.requests
    assert body["messages"] == [{"role": "user", "content": "why?"}]
    assert "prompt" not in body
    assert results(events)[0].text == text_of(body["seed"])


def test_seeds_differ_between_samples_and_between_cells() -> None:
    cells = [plain_request(3, stream=stream) for stream in (2**63 + 5, 12345678901234567)]
    seeds = [[seed_of(cell, i) for i in range(3)] for cell in cells]
    assert all(len(set(of_cell)) == 3 for of_cell in seeds)
    assert not set(seeds[0]) & set(seeds[1])
    assert all(0 <= seed < 2**31 for of_cell in seeds for seed in of_cell)


def test_a_lone_surrogate_in_a_prompt_can_be_sent(server: ScriptedServer, connect: Connect) -> None:
    results(sample(connect(), plain_request(1, prompt="a\ud800b")))
    assert "a\ud800b" in server.requests[0]["prompt"]


# Responses


def test_events_of_a_request(server: ScriptedServer, connect: Connect) -> None:
    request = plain_request(2)
    events = sample(connect(), request)
    assert isinstance(events[0], Started)
    for i, result in results(events).items():
        assert shown(events, i) == result.text == result.raw_text == text_of(seed_of(request, i))
        assert result.finish_reason == "stop"
        assert (result.n_prompt_tokens, result.n_tokens) == (7, 4)
        assert math.isnan(result.logprob)
        assert list(result.tokens.ids) == [-1] * 4
        assert np.isnan(result.tokens.logprob).all()
    assert sum(event.n_tokens for event in events if isinstance(event, TextDeltas)) == 8
    assert len(server.requests) == 2


def test_text_that_comes_while_an_event_is_handled_is_not_lost(server: ScriptedServer, connect: Connect) -> None:
    text = " ".join(f"word{i}" for i in range(150))
    server.script.extend([Reply(pieces=response(text), pause=0.004)] * 3)
    events = sample(connect(), plain_request(3), watch=lambda _: time.sleep(0.03))
    assert [shown(events, i) for i in range(3)] == [text] * 3
    assert len(results(events)) == 3


def test_several_choices_of_one_request(server: ScriptedServer, connect: Connect) -> None:
    server.has_n = True
    request = plain_request((0, 1, 2, 7))
    samples = results(sample(connect(), request))
    assert {i: result.text for i, result in samples.items()} == {i: text_of(seed_of(request, i)) for i in (0, 1, 2, 7)}
    assert sorted(body.get("n", 1) for body in server.requests) == [1, 3]
    assert {result.n_prompt_tokens for result in samples.values()} == {7}


def test_a_server_that_promised_n_and_gives_one_choice(server: ScriptedServer, connect: Connect) -> None:
    server.has_n = True
    engine = connect()
    results(sample(engine, plain_request(2)))
    server.has_n = False
    server.requests.clear()
    request = plain_request(3)
    samples = results(sample(engine, request))
    assert {i: result.text for i, result in samples.items()} == {i: text_of(seed_of(request, i)) for i in range(3)}
    assert [body.get("n", 1) for body in server.requests] == [3, 1, 1]
    results(sample(engine, plain_request(2)))
    assert [body.get("n", 1) for body in server.requests[3:]] == [1, 1]


def test_the_length_was_reached(server: ScriptedServer, connect: Connect) -> None:
    server.script.append(Reply(pieces=response("a b", finish="length")))
    assert results(sample(connect(), plain_request(1)))[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("chat", "logprobs", "ids"),
    [
        (False, {"tokens": ["a", "b"], "token_logprobs": [-0.5, -1.5], "top_logprobs": None}, [-1, -1]),
        (True, {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5}]}, [-1, -1]),
        (True, {"content": [{"id": 5, "logprob": -0.5}, {"id": 6, "logprob": -1.5}]}, [5, 6]),
    ],
)
def test_log_probs_are_kept(
    chat: bool, logprobs: dict[str, object], ids: list[int], server: ScriptedServer, connect: Connect
) -> None:
    server.script.append(Reply(pieces=[piece("ab", finish="stop", chat=chat, logprobs=logprobs), DONE]))
    result = results(sample(connect(), chat_request() if chat else plain_request(1)))[0]
    assert result.n_tokens == 2
    assert result.logprob == -2.0
    assert list(result.tokens.logprob) == [-0.5, -1.5]
    assert list(result.tokens.ids) == ids
    assert np.isnan(result.tokens.entropy).all()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_characters_and_events_cut_anywhere(end: str, server: ScriptedServer, connect: Connect) -> None:
    text = "größer 🙂 日本"
    data = json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": "stop"}]}, ensure_ascii=False)
    lines = [": keep-alive", "", "event: message", "id: 4", f"data: {data}", "", ": ping", "", "data: [DONE]", "", ""]
    raw = end.join(lines).encode()
    server.script.append(Reply(pieces=[raw[i : i + 1] for i in range(len(raw))]))
    assert results(sample(connect(), plain_request(1)))[0].text == text


def test_a_stop_that_the_server_passes_over_is_cut_here(server: ScriptedServer, connect: Connect) -> None:
    server.script.append(
        Reply(pieces=[piece("one"), piece(" two``"), piece("` three"), *[piece(" x")] * 200], pause=0.01)
    )
    events = sample(connect(), plain_request(1))
    result = results(events)[0]
    assert (result.text, result.raw_text, result.finish_reason) == ("one two", "one two``` three", "stop")
    assert shown(events, 0) == "one two"
    assert server.gone.wait(LIMIT), "the stream was not closed"


def test_a_server_that_does_not_stream(server: ScriptedServer, connect: Connect) -> None:
    message = {"index": 0, "message": {"content": "all at once"}, "finish_reason": "stop"}
    server.script.append(as_json({"choices": [message], "usage": {"prompt_tokens": 3, "completion_tokens": 3}}))
    result = results(sample(connect(), chat_request()))[0]
    assert (result.text, result.n_tokens) == ("all at once", 3)


def test_two_cells_at_once(connect: Connect) -> None:
    cells = [plain_request(3, mode="fast", stream=stream) for stream in (10**6, 2 * 10**6)]
    events = sample(connect(), *cells)
    assert sorted(event.key for event in events if isinstance(event, Done)) == sorted(cell.key for cell in cells)
    samples = {(e.key, e.result.sample): e.result.text for e in events if isinstance(e, Finished)}
    assert samples == {(cell.key, i): text_of(seed_of(cell, i)) for cell in cells for i in range(3)}


# What a server does not know


def test_a_refused_field_that_is_off_is_left_out_from_then_on(server: ScriptedServer, connect: Connect) -> None:
    server.refuses = {"top_k", "typical_p", "stream_options", "repeat_penalty"}
    engine = connect()
    results(sample(engine, plain_request(2)))
    assert not server.refuses & set(server.requests[-1])
    asked = len(server.requests)
    results(sample(engine, plain_request(2)))
    assert len(server.requests) == asked + 2


@pytest.mark.parametrize("field", ["min_p", "repetition_penalty"])
def test_a_refused_field_that_is_not_off_is_an_error(field: str, server: ScriptedServer, connect: Connect) -> None:
    server.refuses = {field, "repeat_penalty"}
    engine = connect()
    events = sample(engine, plain_request(3, **{field: 0.5}))
    assert failure(events) == f"This server does not support {field}, which is 0.5 here. Switch it off."
    assert results(sample(engine, plain_request(1)))


def test_a_penalty_goes_by_the_name_the_server_knows(server: ScriptedServer, connect: Connect) -> None:
    server.refuses = {"repetition_penalty", "repeat_last_n"}
    assert results(sample(connect(), plain_request(1, repetition_penalty=1.3)))
    assert server.requests[-1]["repeat_penalty"] == 1.3


def test_the_detail_of_a_422_names_the_field(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    results(sample(engine, plain_request(1)))
    detail = [{"type": "extra_forbidden", "loc": ["body", "min_p"], "msg": "Extra inputs are not permitted"}]
    server.script.append(as_json({"detail": detail}, 422))
    assert results(sample(engine, plain_request(1)))
    assert "min_p" not in server.requests[-1]


def test_top_k_is_off_in_another_way_on_some_servers(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    results(sample(engine, plain_request(1)))
    server.script.append(refusal(400, "top_k must be -1 (disable), or at least 1, got 0."))
    results(sample(engine, plain_request(1)))
    assert server.requests[-1]["top_k"] == -1


def test_a_parameter_that_a_known_server_passes_over_is_refused(server: ScriptedServer, connect: Connect) -> None:
    server.models = as_json({"data": [{"id": MODEL, "owned_by": "library"}]})
    engine = connect()
    assert "Ollama" in engine.capabilities().description
    assert failure(sample(engine, plain_request(1, min_p=0.1))).startswith("Ollama does not support min_p")
    assert not server.requests


def test_no_log_probs(server: ScriptedServer, connect: Connect) -> None:
    server.refuses = {"logprobs"}
    assert math.isnan(results(sample(connect(), plain_request(1)))[0].logprob)
    assert "logprobs" not in server.requests[0]


def test_log_probs_are_asked_for_where_the_trial_brought_some(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    choice = {"index": 0, "text": "x", "finish_reason": "stop", "logprobs": {"token_logprobs": [-1.0]}}
    server.trial = as_json({"choices": [choice]})
    results(sample(engine, plain_request(1)))
    results(sample(engine, chat_request()))
    assert server.requests[0]["logprobs"] == 1
    assert server.requests[1]["logprobs"] is True
    assert len(server.tried) == 2, "each endpoint is tried once"


# Faults


def test_429_waits_as_long_as_the_server_asks(server: ScriptedServer, connect: Connect) -> None:
    server.script.append(refusal(429, "Slow down", Retry_After="0.3"))
    engine = connect()
    start = time.perf_counter()
    assert results(sample(engine, plain_request(1)))
    assert time.perf_counter() - start >= 0.3
    assert len(server.requests) == 2


def test_a_wait_that_is_too_long_is_not_waited(server: ScriptedServer, connect: Connect) -> None:
    server.script.append(refusal(429, "Quota used up.", Retry_After="3600"))
    start = time.perf_counter()
    assert "Quota used up. It asks to wait 3600 s" in failure(sample(connect(), plain_request(1)))
    assert time.perf_counter() - start < LIMIT


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_passes(status: int, server: ScriptedServer, connect: Connect) -> None:
    server.script.extend([refusal(status, "busy")] * 3)
    assert results(sample(connect(), plain_request(1)))
    assert len(server.requests) == 4


def test_a_server_error_that_stays(server: ScriptedServer, connect: Connect) -> None:
    server.script.extend([refusal(500, "Out of memory.")] * 10)
    assert "status 500: Out of memory. Given up after 5 tries." in failure(sample(connect(), plain_request(1)))
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "half",
    [
        Reply(pieces=[piece("one "), piece("half")]),
        Reply(pieces=[piece("one "), piece("half")], whole=False),
        Reply(pieces=[piece("one "), b'data: {"choices": [{"ind']),
        Reply(pieces=[piece("one "), b'data: {"error": {"message": "overloaded", "code": 503}}\n\n']),
        Reply(pieces=[], whole=False),
    ],
)
def test_half_a_stream_is_asked_for_again(half: Reply, server: ScriptedServer, connect: Connect) -> None:
    server.script.extend([half, Reply(pieces=response("one half and the rest"))])
    events = sample(connect(), plain_request(1))
    assert results(events)[0].text == shown(events, 0) == "one half and the rest"


def test_an_empty_stream_is_asked_for_its_reason(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    results(sample(engine, plain_request(1)))
    server.script.append(Reply(pieces=[DONE]))
    server.trial = refusal(400, "The prompt is too long.")
    assert "The prompt is too long." in failure(sample(engine, plain_request(1)))
    server.script.append(Reply(pieces=[DONE]))
    server.trial = None
    assert results(sample(engine, plain_request(1)))


def test_half_a_stream_to_the_end_fails_that_sample_alone(server: ScriptedServer, connect: Connect) -> None:
    request = plain_request(4)
    server.by_seed[seed_of(request, 2)] = lambda: Reply(pieces=[piece("half")], whole=False)
    events = sample(connect(), request)
    assert set(finished(events)) == {0, 1, 3}
    assert failure(events).startswith("Sample 2: The server at ")
    assert "Given up after 5 tries" in failure(events)


def test_choices_that_came_before_a_stream_broke_stay(server: ScriptedServer, connect: Connect) -> None:
    server.has_n = True
    engine = connect()
    request = plain_request(3)
    first = [piece("one", finish="stop", index=1), piece("half", index=0), piece("half", index=2)]
    server.script.append(Reply(pieces=first, whole=False))
    samples = results(sample(engine, request))
    assert samples[1].text == "one"
    assert {i: samples[i].text for i in (0, 2)} == {i: text_of(seed_of(request, i)) for i in (0, 2)}


def test_a_refused_prompt_fails_once_and_is_not_tried_again(server: ScriptedServer, connect: Connect) -> None:
    too_long = "This model's maximum context length is 4096 tokens, however you requested 5000 tokens."
    server.script.extend([refusal(400, too_long)] * 20)
    assert too_long in failure(sample(connect(), plain_request(12)))
    assert len(server.requests) <= 8


def test_a_server_that_goes_away(server: ScriptedServer, connect: Connect) -> None:
    engine = connect()
    results(sample(engine, plain_request(1)))
    server.close()
    assert "cannot be reached" in failure(sample(engine, plain_request(3)))


def test_a_content_filter_is_an_error_of_its_sample(server: ScriptedServer, connect: Connect) -> None:
    request = plain_request(2)
    server.by_seed[seed_of(request, 1)] = lambda: Reply(pieces=[piece("x", finish="content_filter"), DONE])
    events = sample(connect(), request)
    assert set(finished(events)) == {0}
    assert "content filter" in failure(events)


# Cancelling


def test_cancel_closes_the_stream_and_keeps_what_came(
    server: ScriptedServer, connect: Connect, cancellation: Cancellation
) -> None:
    request = plain_request(2)
    endless = Reply(pieces=[piece("word ")] * 100_000, pause=0.02)
    for i in range(2):
        server.by_seed[seed_of(request, i)] = lambda: endless
    asked: dict[int | None, float] = {}
    took: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, TextDeltas) and not asked and shown([event], 1):
            asked[1] = time.perf_counter()
            cancellation.cancel(request.key, (1,))
        if isinstance(event, Finished):
            took.append(time.perf_counter() - asked[1 if None not in asked else None])
            asked[None] = time.perf_counter()
            cancellation.cancel(request.key, None)

    samples = results(sample(connect(), request, watch=watch))
    assert {result.finish_reason for result in samples.values()} == {"cancelled"}
    assert "word" in samples[1].text
    assert max(took) < LIMIT
    assert server.gone.wait(LIMIT), "the stream was not closed"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("wait", ["a retry", "an answer", "a trial"])
def test_cancel_interrupts_a_wait(
    wait: str, server: ScriptedServer, connect: Connect, cancellation: Cancellation
) -> None:
    if wait == "a retry":
        server.script.append(refusal(429, "Slow down", Retry_After=str(2 * LIMIT)))
    elif wait == "an answer":
        server.script.append(Reply(pieces=[piece("late")], pause=2 * LIMIT))
    else:
        server.trial = Reply(pieces=[b"{}"], pause=2 * LIMIT)
    engine = connect()
    request = plain_request(1)
    threading.Timer(0.3, cancellation.cancel, (request.key, None)).start()
    start = time.perf_counter()
    samples = results(sample(engine, request))
    assert samples[0].finish_reason == "cancelled"
    assert time.perf_counter() - start < LIMIT


def test_a_request_that_was_cancelled_before_it_began(connect: Connect, cancellation: Cancellation) -> None:
    engine = connect()
    request = plain_request(3)
    cancellation.cancel(request.key, None)
    samples = results(sample(engine, request))
    assert {result.finish_reason for result in samples.values()} == {"cancelled"}
    assert {result.n_tokens for result in samples.values()} == {0}
    assert results(sample(engine, plain_request(1)))


# References


def test_references() -> None:
    model = resolve("openai:http://host:8000/v1/#org/served:7b")
    assert (model.name, model.kind) == ("org/served:7b", "aligned")
    assert parse_address("http://host:8000/v1/#org/served:7b").base_url == "http://host:8000/v1"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("openai:http://h/v1", "name is missing"),
        ("openai:http://h/v1#", "name is empty"),
        ("openai:h:8000/v1#m", "is no address"),
        ("openai:http://h:port/v1#m", "expected openai:http://host:8000/v1#served-name"),
        ("openai:http://user:secret@h/v1#m", "key_env"),
        ("openai:http://h/v1?api_key=secret#m", "key_env"),
    ],
)
def test_references_that_cannot_be_used(reference: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(reference)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_in_models_toml() -> None:
    from alignbench import paths

    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text('[models.big]\nreference = "openai:http://h:1/v1#served"\nkind = "base"\n')
    assert resolve("big") == Model("big", "openai:http://h:1/v1#served", "base")
    assert not next(status for status in inventory() if status.name == "big").problem
    with pytest.raises(InputError, match="is no GGUF file"):
        weights_path(resolve("big"))


# A real server


@pytest.mark.models
@pytest.mark.parametrize("name", ["smol", "smol-logprobs"])
@pytest.mark.parametrize("chat", [False, True])
def test_real_completions_and_chat(name: str, chat: bool, llama_url: str, connect: Connect) -> None:
    engine = connect(llama_url, name)
    request = (chat_request if chat else plain_request)(5, max_tokens=12, temperature=1.5)
    events = sample(engine, request)
    samples = results(events)
    assert set(samples) == set(range(5))
    assert len({result.raw_text for result in samples.values()}) > 1, "each sample has a seed of its own"
    assert any(isinstance(event, TextDeltas) for event in events)
    for i, result in samples.items():
        assert shown(events, i) == result.text
        assert "```" not in result.text or chat
        assert result.finish_reason in ("stop", "length")
        assert 0 <= result.n_tokens <= 13
        assert len(result.tokens.ids) == result.n_tokens
        if result.n_tokens:
            assert math.isnan(result.logprob) == (name == "smol")
            assert name == "smol" or result.logprob < 0


@pytest.mark.models
def test_real_cancel_and_two_cells(llama_url: str, connect: Connect, cancellation: Cancellation) -> None:
    engine = connect(llama_url, "smol")
    request = chat_request(2, max_tokens=400)

    def watch(event: Event) -> None:
        if isinstance(event, TextDeltas):
            cancellation.cancel(request.key, None)

    samples = results(sample(engine, request, watch=watch))
    reasons = [result.finish_reason for result in samples.values()]
    assert "cancelled" in reasons
    assert set(reasons) <= {"cancelled", "stop"}  # one may have ended before
    assert any(result.text for result in samples.values())
    cells = [chat_request(2, max_tokens=6, mode="fast", stream=stream) for stream in (10**6, 2 * 10**6)]
    events = sample(engine, *cells)
    assert sum(isinstance(event, Finished) for event in events) == 4
    assert sum(isinstance(event, Done) for event in events) == 2


@pytest.mark.models
def test_real_server_refuses_a_prompt_that_is_too_long(llama_url: str, connect: Connect) -> None:
    engine = connect(llama_url, "smol")
    message = failure(sample(engine, plain_request(2, prompt="word " * 3000)))
    assert "This model's maximum context length is 2048 tokens" in message
    assert results(sample(engine, plain_request(1, max_tokens=4)))


@pytest.mark.models
def test_real_scores_are_those_of_the_local_engine(
    llama_url: str, connect: Connect, pool: WorkerPool, aligned: Model
) -> None:
    """A chat begins with the BOS of this model."""
    engine = connect(llama_url, "smol-logprobs")
    context, query = "<|im_start|>user\n", "Why do people keep diaries?<|im_end|>\n<|im_start|>assistant\n"
    for continuation in ("People keep diaries to remember déjà vu.", "No."):
        request = LikelihoodRequest(1, context, query, continuation, top=3)
        ours = score(pool, aligned, replace(plain_request(1), context=context, query=query), continuation)
        theirs = engine.score(request)
        assert theirs.n_context_tokens > 0
        assert len(theirs.pieces) == len(ours.ids)
        assert np.abs(theirs.logprob - ours.logprob).mean() < 0.15  # llama.cpp quantizes activations
        assert (theirs.rank[ours.rank == 1] <= 2).all()
        assert (theirs.rank[ours.rank > 12] == 6).all()  # beyond the alternatives
        assert theirs.top_logprob.shape == (len(ours.ids), 3)
        assert (theirs.ids == -1).all()
    assert engine.score(LikelihoodRequest(1, context, query, "")).ids.shape == (0,)


@pytest.mark.models
def test_real_chats_are_scored_by_a_template_that_models_toml_brings(
    llama_url: str, connect: Connect, tmp_path: Path
) -> None:
    """The server renders chats itself, does not say how, and takes no prompt of ids: it gets the text."""
    template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    byte_tokenizer(template).save_pretrained(tmp_path)
    engine = connect(llama_url, "smol-logprobs", settings=ServerSettings(tokenizer=HfSource(str(tmp_path))))
    assert engine.capabilities().chat_template == template
    request = LikelihoodRequest(1, "<|im_start|>user\n", "Why?<|im_end|>\n<|im_start|>assistant\n", "No.")
    scored, known = engine.score(request), connect(llama_url, "smol-logprobs").score(request)
    assert (scored.pieces, scored.logprob.tolist()) == (known.pieces, known.logprob.tolist())


@pytest.mark.models
def test_real_scores_that_are_a_token_late_are_refused(llama_url: str, connect: Connect) -> None:
    """The server takes a text that does not begin with BOS for one that does."""
    request = LikelihoodRequest(
        1, "", "Once upon a time there was a", " little girl who lived in a house in the woods."
    )
    with pytest.raises(EngineError, match=r"llama_cpp\.server gives log-probs that belong to the next token"):
        connect(llama_url, "smol-logprobs").score(request)
    with pytest.raises(EngineError, match="logits_all"):
        connect(llama_url, "smol").score(request)


@pytest.mark.models
def test_a_server_beside_a_local_model_on_the_command_line(llama_url: str) -> None:
    done = alignbench(
        "sample", "--model", f"openai:{llama_url}#smol", "--model", "demo-smollm2", "--prompt", "why diaries?",
        "-n", "2", "--max-tokens", "8", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "NaN" not in done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    rows = [line for line in lines if "status" in line]
    assert {(row["condition"], row["sample"], row["status"]) for row in rows} == {
        (name, i, "done") for name in ("smol", "demo-smollm2") for i in range(2)
    }
    assert all(row["text"] or row["finish_reason"] == "stop" for row in rows)
    assert {row["logprob"] is None for row in rows if row["condition"] == "smol"} == {True}
