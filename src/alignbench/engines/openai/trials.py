"""Requests to a server that are not streamed, so that a refusal comes in words: they show what it can do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from alignbench.engines.openai.choices import FieldError, choices_of, read_choice
from alignbench.engines.openai.http import Http, retrying
from alignbench.engines.openai.request import Requests
from alignbench.engines.openai.server_error import UNABLE, ServerError
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.protocol import SampleRequest
from alignbench.errors import EngineError
from alignbench.spec import Sampling

_PROBE = SampleRequest(
    0, "", "Three words that come to mind:", Sampling(temperature=1.0, max_tokens=8), (), (0,), seed=0, stream=1
)


@dataclass(slots=True)
class Endpoint:
    """What a trial request has shown about completions or chat completions."""

    n: bool = False  # gives several choices, with different texts
    logprobs: bool = False


class Trials:
    """Tries out one model of a server. To be used from one event loop."""

    def __init__(self, http: Http, requests: Requests) -> None:
        self._http, self._requests = http, requests
        self._endpoints: dict[str, Endpoint] = {}
        self._failures: dict[str, EngineError] = {}  # the last one at a path
        self._probing = asyncio.Lock()

    async def endpoint(self, path: str) -> Endpoint:
        """What the server can do at a path, found by a small request when it is first needed. Raises EngineError: who
        waited for a request of another one that failed does not wait for one more."""
        before = self._failures.get(path)
        async with self._probing:
            failure = self._failures.get(path)
            if path not in self._endpoints and failure is not None and failure is not before:
                raise EngineError(str(failure))
            if path not in self._endpoints:
                try:
                    self._endpoints[path] = await self._try_out(path)
                except EngineError as error:
                    self._failures[path] = error
                    raise
        return self._endpoints[path]

    async def rows(self, request: SampleRequest, *, seed: int) -> list[StreamedSample]:
        """The one choice of a request. Raises EngineError, or FieldError for what cannot be read."""
        return _read_rows(await self._ask(self._requests.path(request), request, 1, False, seed), request, 1)

    async def _try_out(self, path: str) -> Endpoint:
        chat = replace(_PROBE, messages=(("user", _PROBE.query),))
        request = chat if path == self._requests.path(chat) else _PROBE
        for n, logprobs in ((2, True), (2, False), (1, True), (1, False)):
            try:
                answer = await self._ask(path, request, n, logprobs)
            except ServerError as error:
                if error.status not in UNABLE:
                    raise
                continue
            try:
                rows = _read_rows(answer, request, n)
            except FieldError:
                return Endpoint()  # the real request will say so
            said = {(row.thinking.text, row.stream.raw_text) for row in rows if row.begun}
            return Endpoint(n=len(said) == 2, logprobs=any(row.has_logprobs for row in rows))
        return Endpoint()  # the real request will show what is wrong

    async def _ask(self, path: str, request: SampleRequest, n: int, logprobs: bool, seed: int = 1) -> Any:
        """A request that is not streamed, so that a refusal comes in words."""

        async def attempt() -> Any:
            while True:
                body = self._requests.body(request, seed, n, logprobs=logprobs, stream=False)
                try:
                    return await self._http.post(path, body)
                except ServerError as error:
                    if not self._requests.learn(error, body):
                        error.settle(UNABLE)
                        raise

        return await retrying(attempt)


def _read_rows(answer: Any, request: SampleRequest, n: int) -> list[StreamedSample]:
    """The choices of an answer that is not streamed. Raises FieldError."""
    rows = [StreamedSample(i, request) for i in range(n)]
    for index, choice, where in choices_of(answer, n):
        rows[index].take(read_choice(choice, where))
    return rows
