"""Servers with manners of their own: redirects, lists of models, errors in every form, keys that come back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from alignbench.engines.openai import http
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.server_error import MOST_SHOWN
from alignbench.engines.protocol import Failed, Finished, LikelihoodRequest, SampleResult
from alignbench.errors import EngineError
from tests.support.driving import plain_request, results
from tests.support.server import DONE, MODEL, Reply, ScriptedServer, as_json, event, piece, refusal, response, text_of
from tests.support.waiting import LIMIT

Connect = Callable[..., OpenAIEngine]

KEY = "sk-open-sesame-0123456789"


class ManneredServer(ScriptedServer):
    """Answers as its methods `on_get` and `on_post` say, if they say something; `asked` are the paths of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.on_get: Callable[[str], Reply | None] = lambda _: None
        self.on_post: Callable[[str, dict[str, Any]], Reply | None] = lambda *_: None
        self.asked: list[str] = []

    def listed(self, path: str) -> Reply:
        self.asked.append(path)
        return self.on_get(path) or super().listed(path)

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.asked.append(path)
        return self.on_post(path, body) or super().answer(path, body)

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")


@pytest.fixture
def server() -> Iterator[ManneredServer]:
    server = ManneredServer()
    yield server
    server.close()


@pytest.fixture
def key(server: ManneredServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    return KEY


def drawn(engine: OpenAIEngine, **given: Any) -> SampleResult:
    return results(list(engine.sample([plain_request(1, stops=(), **given)])))[0]


def failure(engine: OpenAIEngine, **given: Any) -> str:
    events = list(engine.sample([plain_request(1, stops=(), **given)]))
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1].message


def moved(location: str, status: int = 308) -> Reply:
    return Reply(status, "text/plain", {"Location": location})


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/v1/models", "models/", "{root}/v1/models"])
def test_a_list_that_lies_elsewhere_on_the_server_is_fetched_there(
    status: int, location: str, server: ManneredServer, connect: Connect, key: str
) -> None:
    location = location.format(root=server.root)
    goal = {"models/": "/old/models/"}.get(location, "/v1/models")
    server.on_get = lambda path: server.models if path == goal else moved(location, status)
    assert connect(f"{server.root}/old").capabilities().n_ctx_train == 4096
    assert server.asked == ["/old/models", goal]
    assert [headers["Authorization"] for headers in server.headers] == [f"Bearer {key}"] * 2


@pytest.mark.parametrize("status", [307, 308])
def test_a_request_that_lies_elsewhere_on_the_server_is_sent_there(
    status: int, server: ManneredServer, connect: Connect
) -> None:
    server.on_post = lambda path, _: moved(f"{path}/", status) if path == "/v1/completions" else None
    result = drawn(connect())
    assert result.text == text_of(server.requests[0]["seed"])
    assert server.requests[0]["prompt"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_request_is_not_turned_into_another(status: int, server: ManneredServer, connect: Connect) -> None:
    server.on_post = lambda *_: moved("/v2/completions", status)
    assert f"name that address: openai:{server.root}/v2#{MODEL}" in failure(connect())


@pytest.mark.parametrize(
    "target",
    ["https://127.0.0.1:{port}/v1", "http://localhost:{port}/v1", "http://127.0.0.1:{other}/v1", "//other.example/v1"],
)
@pytest.mark.usefixtures("key")
def test_another_server_gets_neither_key_nor_prompt_and_is_named(
    target: str, server: ManneredServer, connect: Connect
) -> None:
    elsewhere = ManneredServer()
    try:
        target = target.format(port=server.root.rpartition(":")[2], other=elsewhere.root.rpartition(":")[2])
        shown = target if ":" in target else f"http:{target}"
        server.on_get = lambda _: moved(f"{target}/models")
        with pytest.raises(EngineError) as caught:
            connect()
        assert f"sends /models on to {shown} (status 308)" in str(caught.value)
        assert f"name that address: openai:{shown}#{MODEL}" in str(caught.value)
        server.on_get = lambda _: None
        server.on_post = lambda path, _: moved(f"{target}{path.removeprefix('/v1')}", 307)
        assert f"on to {shown} (status 307)" in failure(connect())
        assert not elsewhere.asked
    finally:
        elsewhere.close()


@pytest.mark.parametrize("location", ["http://[x", "ftp://h/x", "http://h:x/", "about:blank"])
def test_a_redirect_to_what_is_no_address(location: str, server: ManneredServer, connect: Connect) -> None:
    server.on_get = lambda _: moved(location)
    with pytest.raises(
        EngineError,
        match=r"sends requests on to what is no address|name that address: openai:http://%5bx#|path must be empty",
    ):
        connect()


def test_redirects_in_circles_and_to_nowhere(server: ManneredServer, connect: Connect) -> None:
    server.on_get = lambda path: moved(path)
    with pytest.raises(EngineError, match="in circles"):
        connect()
    server.on_get = lambda _: Reply(302, "text/plain")
    with pytest.raises(EngineError, match=r"has no /models at this address \(status 302\)"):
        connect()


def test_keys_in_redirects_are_masked(server: ManneredServer, connect: Connect, key: str) -> None:
    for location in (f"http://me:{key}@other/v1/models", f"http://other/{key}/models?api_key=x1y2z3", f"http://{key}/"):
        server.on_get = lambda _, to=location: moved(to)
        with pytest.raises(EngineError) as caught:
            connect()
        assert key not in str(caught.value)
        assert "x1y2z3" not in str(caught.value)


# Lists of models


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": MODEL, "max_model_len": 4096}],
        {"models": [{"name": MODEL, "max_model_len": "4096"}]},
        {"data": [None, 3, {"model": MODEL, "meta": {"n_ctx_train": 4096}}, "x"]},
        {"data": {MODEL: {"max_model_len": 4096}}},
    ],
)
def test_lists_of_models(answer: object, server: ManneredServer, connect: Connect) -> None:
    server.models = as_json(answer)
    assert connect().capabilities().n_ctx_train == 4096
    with pytest.raises(EngineError, match="serves no 'odd-model'"):
        connect(name="odd-model")


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"id": "first"}], "has_more": True, "last_id": "first"},
        {"models": [{"id": "first"}], "nextPageToken": "x"},
        {"data": [{"object": "model"}]},
        {"data": [{"id": MODEL, "max_model_len": None, "meta": "?", "owned_by": 7}]},
        [MODEL],
    ],
)
def test_lists_that_do_not_say_all(answer: object, server: ManneredServer, connect: Connect) -> None:
    server.models = as_json(answer)
    engine = connect()
    assert engine.capabilities().n_ctx_train == 0
    assert drawn(engine).text


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list(status: int, server: ManneredServer, connect: Connect) -> None:
    server.models = refusal(status, "Not Found")
    assert drawn(connect()).text


@pytest.mark.parametrize("answer", [{}, {"status": "ok"}, {"data": 3}])
def test_an_answer_without_a_list(answer: object, server: ManneredServer, connect: Connect) -> None:
    server.models = as_json(answer)
    with pytest.raises(EngineError, match="without a list of models"):
        connect()


# Errors


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "Too long."}}, "Too long."),
        ({"error": "Too long."}, "Too long."),
        ({"error": {"error": {"message": "Too long."}}}, "Too long."),
        ({"errors": [{"message": "Too long."}]}, "Too long."),
        ([{"error": {"message": "Too long."}}], "Too long."),
        ({"detail": "Too long."}, "Too long."),
        ({"detail": [{"loc": ["body", "prompt"], "msg": "Too long."}]}, "prompt: Too long."),
        ({"message": "Too\n  long."}, "Too long."),
        ({"object": "error", "message": "Too long.", "code": 40303}, "Too long."),
        ("Too long.", "Too long."),
        ({"error": None, "msg": "Too long."}, "Too long."),
        ({"error": {"code": 400}}, 'status 400 and \'{"error": {"code": 400}}\' where'),
        ({}, "'{}' where a JSON object was expected"),
    ],
)
def test_words_of_a_refusal(body: object, words: str, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    server.script.append(as_json(body, 400))
    assert words in failure(engine)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/html", b"<html><head><title>502 Bad\nGateway</title>", "a web page (HTML), '502 Bad Gateway', where"),
        ("text/html", b"<p>no", "a web page (HTML) where"),
        (
            "text/plain",
            b"  Client sent an HTTP request to an HTTPS server.\n",
            "status 400: Client sent an HTTP request",
        ),
        ("application/json", b"", "status 400 and nothing."),
        ("application/json", b"{" * 100_000, "'{{{"),
        ("application/octet-stream", bytes(range(256)) * 40, "data that is no text"),
        ("text/plain", b"x" * (1 << 20), "xxx…"),
        ("application/json", json.dumps({"error": "y" * 20_000}).encode(), "yyy…"),
        ("application/json", b'{"error": "\xff\xfe"}', ""),
    ],
)
def test_bodies_of_a_refusal(kind: str, body: bytes, words: str, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    server.script.append(Reply(400, kind, pieces=[body] if body else []))
    message = failure(engine)
    assert words in message
    assert len(message) < 700
    assert "\n" not in message


@pytest.mark.parametrize(
    ("body", "tries"),
    [
        ({"error": {"message": "Insufficient credits", "code": 402}}, 1),
        ({"error": {"message": "Insufficient credits"}}, 1),
        ({"error": "Insufficient credits"}, 1),
        ({"object": "error", "message": "Insufficient credits", "code": 40001}, 1),
        ({"detail": "Insufficient credits"}, 1),
        ([{"error": {"message": "Insufficient credits", "status": "PERMISSION_DENIED"}}], 1),
        ({"error": {"message": "Insufficient credits", "code": 503}}, 5),
        ({"error": {"message": "Insufficient credits", "code": "429"}}, 5),
        ({"error": {"message": "Insufficient credits", "type": "rate_limit_exceeded"}}, 5),
        ({"error": {"message": "Insufficient credits", "type": "overloaded_error"}}, 5),
        ({"error": {"message": "Insufficient credits", "code": "insufficient_quota", "type": "server_error"}}, 1),
    ],
)
def test_an_error_with_status_200(body: object, tries: int, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    server.script.extend([as_json(body)] * 5)
    assert "Insufficient credits" in failure(engine)
    assert len(server.requests) == 1 + tries


def test_a_list_of_models_that_is_an_error(server: ManneredServer, connect: Connect) -> None:
    server.models = as_json({"error": {"message": "Account suspended", "code": 403}})
    with pytest.raises(EngineError, match="answered /models with an error: Account suspended"):
        connect()


@pytest.mark.parametrize(
    ("code", "status", "tries"),
    [("insufficient_quota", 429, 1), ("rate_limit_exceeded", 429, 5), (None, 529, 5), (None, 408, 5), (None, 402, 1)],
)
def test_what_is_worth_another_try(
    code: str | None, status: int, tries: int, server: ManneredServer, connect: Connect
) -> None:
    engine = connect()
    drawn(engine)
    server.script.extend([as_json({"error": {"message": "No.", "code": code}}, status)] * 5)
    assert "No." in failure(engine)
    assert len(server.requests) == 1 + tries


@pytest.mark.parametrize(
    "after",
    ["0", "-5", "nan", "inf", "1e400", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 2026", ""],
)
def test_a_retry_after_that_is_no_wait(after: str, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    server.script.append(refusal(429, "Slow down", Retry_After=after))
    assert drawn(engine).text
    assert len(server.requests) == 3


@pytest.mark.parametrize("after", ["99999999", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_that_is_too_long(after: str, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    server.script.append(refusal(429, "Slow down", Retry_After=after))
    assert "given up" in failure(engine)
    assert len(server.requests) == 2


def test_an_answer_that_does_not_end(server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    server.models = replace(server.models, pieces=[b" "] * 1_000, pause=0.02)
    with pytest.raises(EngineError, match="did not end its answer within 0 s"):
        connect()
    assert server.gone.wait(LIMIT)


@pytest.mark.parametrize("ping", [b": ping\n\n", b"data:\n\n", b"event: ping\ndata: 1\n\n"])
def test_a_stream_of_signs_of_life_alone_ends(
    ping: bytes, server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect()
    drawn(engine)
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.2)
    server.script.append(Reply(pieces=[ping] * 1_000, pause=0.02))
    assert "kept the connection alive for 0 s without a word" in failure(engine)
    assert server.gone.wait(LIMIT)
    monkeypatch.undo()
    server.script.append(Reply(pieces=[ping, *response("a word")]))
    assert drawn(engine).text == "a word"


def test_an_answer_that_is_too_long(server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1 << 20)
    server.models = replace(server.models, pieces=[b" " * (1 << 16)] * 40)
    with pytest.raises(EngineError, match="answered /models with over 1 MiB"):
        connect()


def test_https_on_an_http_port(server: ManneredServer, connect: Connect) -> None:
    with pytest.raises(EngineError, match=r"does not answer in https .*Does it want http\?"):
        connect(server.url.replace("http:", "https:"))


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.example", "xn--zz-.example", "bücher-.example"])
def test_names_that_no_host_has(host: str, connect: Connect) -> None:
    with pytest.raises(EngineError) as caught:
        connect(f"http://{host}:1/v1")
    assert host in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.1"])
def test_this_machine_by_other_names_without_a_proxy(
    host: str, server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert connect(server.url.replace("127.0.0.1", host)).capabilities()


def test_a_proxy_that_is_not_there_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:sesame@127.0.0.1:9")
    with pytest.raises(EngineError, match="cannot be reached, through the proxy of the environment,") as caught:
        connect("http://server.example/v1")
    assert "sesame" not in str(caught.value)


def test_a_proxy_that_refuses(server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", server.root)  # has no CONNECT
    with pytest.raises(EngineError, match=r"The proxy on the way to https://server.example/v1 refuses"):
        connect("https://server.example/v1")


def test_a_socks_proxy_works_or_says_what_is_missing(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(EngineError, match=r"httpx\[socks\]|cannot be reached, through the proxy"):
        connect("http://server.example/v1")


def test_certificates_that_are_not_there(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(EngineError, match="certificates of SSL_CERT_FILE"):
        connect("https://server.example/v1")


# Fields that a server does not know


def picky(server: ManneredServer, field: str, error: dict[str, Any], status: int = 400) -> None:
    server.on_post = lambda _, body: as_json(error, status) if field in body else None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}, 400),
        ({"error": {"message": "Unrecognized request argument supplied: max_tokens"}}, 400),
        ({"error": {"message": "`max_tokens` is deprecated for this model"}}, 400),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_tokens"], "msg": "Extra inputs"}]}, 422),
        ({"error": {"message": "不支持", "param": "max_tokens", "code": "unsupported_parameter"}}, 400),
        ({"error": {"message": "max_completion_tokens, bitte", "param": "max_tokens"}}, 400),
    ],
)
def test_the_other_name_of_max_tokens_is_learnt(
    error: dict[str, Any], status: int, server: ManneredServer, connect: Connect
) -> None:
    picky(server, "max_tokens", error, status)
    engine = connect()
    assert drawn(engine, max_tokens=24).text
    assert server.requests[-1]["max_completion_tokens"] == 24
    asked = len(server.asked)
    drawn(engine)
    assert len(server.asked) == asked + 1, "it is remembered"


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 24. This model supports at most 16 completion tokens.",
        "'max_tokens' must be at least 100",
        "This model's maximum context length is 16 tokens. However, your max_tokens exceeds it.",
    ],
)
def test_a_limit_out_of_range_is_no_other_name(message: str, server: ManneredServer, connect: Connect) -> None:
    picky(server, "max_tokens", {"error": {"message": message, "param": "max_tokens"}})
    engine = connect()
    assert message in failure(engine)
    assert all("max_completion_tokens" not in body for body in (*server.requests, *server.tried))


def test_a_server_that_knows_neither_name(server: ManneredServer, connect: Connect) -> None:
    server.refuses = {"max_tokens", "max_completion_tokens"}
    assert "Unrecognized request argument supplied: max_completion_tokens" in failure(connect())


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0.7. Only the default (1) value is supported.",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "invalid temperature: only 1 is allowed for this model",
        "temperature is fixed for this model",
    ],
)
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_fixed_temperature_is_left_out(
    temperature: float, message: str, server: ManneredServer, connect: Connect
) -> None:
    picky(server, "temperature", {"error": {"message": message, "param": "temperature"}})
    engine = connect()
    result = drawn(engine, temperature=temperature)
    assert "temperature" not in server.requests[-1]
    assert result.note == f"Drawn at the model's own temperature, not at {temperature:g}: the server takes no other."
    assert not drawn(engine, temperature=1.0).note


def test_a_temperature_out_of_range_is_an_error(server: ManneredServer, connect: Connect) -> None:
    picky(server, "temperature", {"error": {"message": "temperature must be between 0 and 1", "param": "temperature"}})
    assert "must be between 0 and 1" in failure(connect(), temperature=1.5)


def test_top_p_is_left_out_where_it_is_off(server: ManneredServer, connect: Connect) -> None:
    server.refuses = {"top_p", "seed", "presence_penalty"}
    engine = connect()
    assert drawn(engine).note == "Drawn without a seed: the server takes none."
    assert not server.refuses & set(server.requests[-1])
    assert failure(engine, top_p=0.5) == "This server does not support top_p, which is 0.5 here. Switch it off."


# Keys that come back

ECHOES = [KEY, f"Bearer {KEY}", json.dumps(KEY), base64.b64encode(f"Bearer {KEY}".encode()).decode(), KEY[:-1] + "%39"]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.usefixtures("key")
def test_a_key_in_an_error(status: int, echo: str, server: ManneredServer, connect: Connect) -> None:
    engine = connect()
    drawn(engine)
    for filler in ("", "x" * (MOST_SHOWN - 20)):
        server.script.extend([refusal(status, f"{filler} You sent {echo}.")] * 5)
        message = failure(engine)
        assert KEY[:12] not in message
        assert echo[:12] not in message
        server.script.clear()


def test_a_key_in_the_name_of_a_model(server: ManneredServer, connect: Connect, key: str) -> None:
    server.models = as_json({"data": [{"id": f"model-{key}", "owned_by": key}]})
    with pytest.raises(EngineError) as caught:
        connect(name="model-sk")
    assert key not in str(caught.value)


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_a_key_in_a_completion(cut: int, server: ManneredServer, connect: Connect, key: str) -> None:
    text = f"You are {key}, are you not? {KEY[:15]}"
    pieces = [piece(text[i : i + cut]) for i in range(0, len(text), cut)]
    engine = connect()
    server.script.append(Reply(pieces=[*pieces, piece("", finish="stop"), DONE]))
    events = list(engine.sample([plain_request(1, stops=())]))
    (result,) = (each.result for each in events if isinstance(each, Finished))
    assert result.text == result.raw_text == "You are ***, are you not? ***"
    assert key not in repr(events)


def test_a_key_in_a_completion_that_comes_twice(server: ManneredServer, connect: Connect, key: str) -> None:
    whole = {"index": 0, "message": {"content": key}, "finish_reason": "stop"}
    pieces = [piece(key[:9], chat=True), piece(key[9:], chat=True), event([whole]), DONE]
    engine = connect()
    server.script.append(Reply(pieces=pieces))
    assert drawn(engine).text == "***"


def test_a_key_in_an_answer_that_is_not_streamed(server: ManneredServer, connect: Connect, key: str) -> None:
    engine = connect()
    choice = {"index": 0, "message": {"content": f"It is {key}."}, "finish_reason": "stop"}
    server.script.append(as_json({"choices": [choice]}))
    assert drawn(engine).text == "It is ***."
    logprobs = {"tokens": ["a", key], "token_logprobs": [None, -1.0], "top_logprobs": [None, {key: -1.0}]}
    server.trial = as_json({"choices": [{"text": "a b", "logprobs": logprobs}]})
    assert key not in repr(engine.score(LikelihoodRequest(1, "", "a b", "")))


def test_texts_lose_nothing_where_the_key_is_a_placeholder(
    server: ManneredServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    server.script.append(Reply(pieces=response("an EMPTY room")))
    assert drawn(connect()).text == "an EMPTY room"
