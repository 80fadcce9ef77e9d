"""Settings of models.toml, as a server sees them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from alignbench import paths
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import Failed, LikelihoodRequest, Loaded
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Model
from tests.support.driving import load, plain_request, results
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal
from tests.support.waiting import LIMIT

With = Callable[..., OpenAIEngine]


class CountingServer(ScriptedServer):
    """Knows how many streamed requests were in flight at once; `together` of them wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(1)
        self.now = self.most = 0
        self._counting = threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if not body.get("stream"):
            return super().answer(path, body)
        with self._counting:
            self.now += 1
            self.most = max(self.most, self.now)
        self.together.wait(LIMIT)
        reply = super().answer(path, body)
        with self._counting:
            self.now -= 1
        return reply


@pytest.fixture
def server() -> Iterator[CountingServer]:
    server = CountingServer()
    yield server
    server.close()


@pytest.fixture
def connect(server: CountingServer) -> Iterator[With]:
    engines: list[OpenAIEngine] = []

    def connect(*, extra: str = "", **settings: Any) -> OpenAIEngine:
        model = Model("m", f"openai:{server.url}#{MODEL}{extra}", "aligned")
        engines.append(OpenAIEngine(model, Cancellation(), ServerSettings(**settings)))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.close()


def draw(engine: OpenAIEngine, n: int = 1, *, chat: bool = False) -> set[int]:
    request = plain_request(n, stops=())
    if chat:
        request = replace(request, messages=(("user", "why?"),))
    return set(results(list(engine.sample([request]))))


def test_headers_and_key_go_with_every_request(
    server: CountingServer, connect: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_KEY", "host-secret")
    engine = connect(key_env="HOST_KEY", headers=(("X-Team", "evals"),))
    draw(engine)
    assert len(server.headers) == 3, "the list of models, the trial and the sample"
    for sent in server.headers:
        assert (sent["Authorization"], sent["X-Team"]) == ("Bearer host-secret", "evals")


def test_neither_key_nor_headers_follow_a_redirect_to_another_server(
    server: CountingServer, connect: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_KEY", "host-secret")
    elsewhere = ScriptedServer()
    try:
        server.models = Reply(307, headers={"Location": f"{elsewhere.url}/models"})
        with pytest.raises(EngineError, match="sends /models on to"):
            connect(key_env="HOST_KEY", headers=(("X-Api-Key", "header-secret"),))
        assert not elsewhere.headers
    finally:
        elsewhere.close()


@pytest.mark.parametrize("chat", [False, True])
def test_extra_body_is_in_every_request(chat: bool, server: CountingServer, connect: With) -> None:
    engine = connect(extra='#{"presence_penalty":0.5,"top_a":0.2}')
    draw(engine, 2, chat=chat)
    with pytest.raises(EngineError, match="does not echo"):
        engine.score(LikelihoodRequest(1, "", "a", "b"))
    assert len(server.requests) == 2
    assert server.tried
    for body in (*server.requests, *server.tried):
        assert (body["top_a"], body["presence_penalty"], body["model"]) == (0.2, 0.5, MODEL)


def test_a_server_that_refuses_a_field_of_extra_body_is_asked_no_further(server: CountingServer, connect: With) -> None:
    engine = connect(extra='#{"presence_penalty":0.5}')
    server.refuses = {"presence_penalty"}
    events = list(engine.sample([plain_request(1, stops=())]))
    assert isinstance(events[-1], Failed)
    assert "presence_penalty" in events[-1].message
    assert len(server.requests) <= 2


@pytest.mark.parametrize("width", [1, 5])
def test_concurrency(width: int, server: CountingServer, connect: With) -> None:
    server.together = threading.Barrier(width)
    assert draw(connect(concurrency=width), 2 * width) == set(range(2 * width))
    assert server.most == width


def test_timeout(server: CountingServer, connect: With) -> None:
    server.models = replace(server.models, pause=1.0)
    with pytest.raises(EngineError, match="sent nothing for 0 s"):
        connect(timeout=0.1)


def test_the_name_of_max_tokens(server: CountingServer, connect: With) -> None:
    server.refuses = {"max_tokens"}
    draw(connect(max_tokens_field="max_completion_tokens"))
    (body,) = server.requests
    assert (body["max_completion_tokens"], "max_tokens" in body) == (plain_request(1).sampling.max_tokens, False)
    assert len(server.tried) <= 4, "not refused once"
    assert all("max_tokens" not in tried for tried in server.tried)


def test_two_names_of_one_server_have_a_key_each(server: CountingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("one", "two")
    for name in names:
        monkeypatch.setenv(f"{name.upper()}_KEY", f"secret-of-{name}")
    reference = f"openai:{server.url}#{MODEL}"
    entries = [f'[models.{name}]\nreference = "{reference}"\nkey_env = "{name.upper()}_KEY"\n' for name in names]
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text("".join(entries))
    pool = WorkerPool(threads=1)
    try:
        assert all(isinstance(load(pool, Model(name, reference, "aligned")), Loaded) for name in names)
    finally:
        pool.close()
    assert {sent["Authorization"] for sent in server.headers} == {"Bearer secret-of-one", "Bearer secret-of-two"}


def test_access_refused_names_the_variable_of_the_model(
    server: CountingServer, connect: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.models = refusal(401, "no")
    with pytest.raises(EngineError, match="read from the environment variable HOST_KEY, which is not set"):
        connect(key_env="HOST_KEY")
    monkeypatch.setenv("HOST_KEY", "host-secret")
    with pytest.raises(EngineError, match="HOST_KEY, which is set, but not accepted"):
        connect(key_env="HOST_KEY")
    with pytest.raises(EngineError, match=r'models\.toml has none for this server \(key_env = "NAME_OF_THE_VARIABLE"'):
        connect()
    server.models = as_json({"data": []})
