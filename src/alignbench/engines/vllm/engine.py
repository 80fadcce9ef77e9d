"""A model on vLLM: the OpenAI engine, on a server that is begun for it and ends with it.

What sets it apart from a server that somebody else runs: its tokenizer is asked for the chat template, so that prompts
are rendered here, as for the local engines, and sent as text. Prefills, templates from files and thoughts work alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.route import Route
from alignbench.engines.protocol import (
    Capabilities,
    Event,
    Failed,
    LikelihoodRequest,
    More,
    MoreFirstTokens,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
)
from alignbench.engines.vllm.log import Stage
from alignbench.engines.vllm.server import VllmServer
from alignbench.errors import EngineError, EngineLost
from alignbench.models.reference import own_name, parse_reference
from alignbench.models.weights import weights_hash
from alignbench.spec import Model

E = TypeVar("E")


class VllmEngine(OpenAIEngine):
    """Implements protocol.Engine. Raises EngineError where the server does not start, EngineLost when it has ended."""

    def __init__(self, model: Model, cancel: Cancellation, told: Callable[[Stage], None]) -> None:
        """told: gets the stages that the start comes to."""
        self._server = VllmServer(model, own_name(parse_reference(model.reference).base), cancel, told)
        route = Route(headers=(("Authorization", f"Bearer {self._server.key}"),))
        try:
            super().__init__(model, cancel, address=self._server.address, route=route, why_gone=self._server.why_broken)
            self._version = str(self._loop.run_until_complete(self._root.get("/version")).get("version", ""))
        except BaseException:
            self._server.close()
            raise

    def close(self) -> None:
        """End the server."""
        super().close()
        self._server.close()

    def capabilities(self) -> Capabilities:
        """As the server says, with the chat template of its tokenizer."""
        return replace(
            super().capabilities(),
            device=self._model.options.device,
            description=f"{self._address.name} on vLLM {self._version}".rstrip(),
            file_hash=weights_hash(self._model),
            renders_chat=False,
            arithmetic=" ".join(("vLLM", self._version, *self._model.options.args)),
        )

    def sample(self, requests: Sequence[SampleRequest], more: More | None = None) -> Iterator[Event]:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        return self._until_lost(super().sample(requests, more))

    def first_tokens(
        self, requests: Sequence[LikelihoodRequest], more: MoreFirstTokens | None = None
    ) -> Iterator[Scored | Failed]:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        return self._until_lost(super().first_tokens(requests, more))

    def _until_lost(self, events: Iterator[E]) -> Iterator[E]:
        for event in events:
            lost = isinstance(event, Failed) and self._server.why_gone()
            yield replace(event, lost=True) if lost and isinstance(event, Failed) else event
            if lost:
                raise EngineLost(lost)

    def score(self, request: LikelihoodRequest) -> Scored:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        with self._noticing():
            return super().score(request)

    def tokens(self, request: TokenizeRequest) -> Tokenized:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        with self._noticing():
            return super().tokens(request)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except EngineError:
            if why := self._server.why_gone():
                raise EngineLost(why) from None
            raise
