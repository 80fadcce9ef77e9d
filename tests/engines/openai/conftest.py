"""A scripted server, and engines that are connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai import http
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Kind, Model
from tests.support.server import MODEL, ScriptedServer

Connect = Callable[..., OpenAIEngine]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def no_keys_and_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine that the tests run on."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def cancellation() -> Cancellation:
    return Cancellation()


@pytest.fixture
def connect(server: ScriptedServer, cancellation: Cancellation) -> Iterator[Connect]:
    engines: list[OpenAIEngine] = []

    def connect(
        url: str = "", name: str = MODEL, kind: Kind = "aligned", settings: ServerSettings | None = None
    ) -> OpenAIEngine:
        engines.append(OpenAIEngine(Model("m", f"openai:{url or server.url}#{name}", kind), cancellation, settings))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.close()
