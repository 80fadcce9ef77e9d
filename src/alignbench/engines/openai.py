"""Models behind OpenAI-compatible servers: completions for rendered text, chat completions for messages.

What differs from the local engines, because the server owns it:

- Randomness. Each sample has a seed of its own and the samples of a cell are independent, but no server promises the
  same text for the same seed; strict and fast mode are the same here.
- Rendering of chats. The request carries messages; token ids of the prompt are unknown, so `Started` has none.
- Sampling. All parameters are sent; see `openai_request` for those that a server may not know. The window of the
  repetition penalty is the server's.
- Tokens. Log-probs are stored where the server gives them (raw ones, as vLLM and llama.cpp do by default), ids where it
  gives those; what is unknown is NaN, or -1 for an id, and 0 for the length of a prompt. A stop string that the server
  cuts is not part of `raw_text`. Without log-probs or counts from the server, a piece of the stream counts as a token.

Tried against the server of llama-cpp-python (`python -m llama_cpp.server`). What is done for vLLM, llama-server, SGLang
and Ollama follows their documentation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from alignbench.engines.generation import Cancellation
from alignbench.engines.openai_address import Address, parse_address
from alignbench.engines.openai_http import Http, ServerError, retrying
from alignbench.engines.openai_request import Requests, refuses_n, seed_of, server_of
from alignbench.engines.openai_rows import Cell, Row
from alignbench.engines.protocol import Capabilities, Event, SampleRequest, Scored, ScoreRequest
from alignbench.errors import EngineError, did_you_mean
from alignbench.models import parse_reference
from alignbench.spec import Model, Sampling

TICK_SECONDS = 0.04  # between two looks at what is due and what was cancelled

_PROBE = SampleRequest(
    0, "", "Three words that come to mind:", Sampling(temperature=1.0, max_tokens=8), (), (0,), seed=0, stream=1
)


@dataclass(slots=True)
class _Endpoint:
    """What a trial request has shown about completions or chat completions."""

    n: bool = False  # gives several choices, with different texts
    logprobs: bool = False


class OpenAIEngine:
    """A model of a server. Not thread-safe; `threads` means nothing here. Raises EngineError, InputError."""

    def __init__(self, model: Model, cancel: Cancellation) -> None:
        self.threads = 1
        self._model = model
        self._cancel = cancel
        self._address = parse_address(parse_reference(model.reference).target)
        self._loop = asyncio.new_event_loop()
        self._http = Http(self._address)
        self._endpoints: dict[str, _Endpoint] = {}
        try:
            self._served = self._loop.run_until_complete(self._find())
        except BaseException:
            self.close()
            raise
        self._requests = Requests(self._address.name, server_of(str(self._served.get("owned_by") or "")))

    def close(self) -> None:
        """Close the connections."""
        self._loop.run_until_complete(self._http.close())
        self._loop.close()

    async def _find(self) -> dict[str, Any]:
        """What the server's list of models says of this one."""
        answer = await retrying(self._models)
        entries = [entry for entry in answer.get("data") or () if isinstance(entry, dict)]
        for entry in entries:
            if entry.get("id") == self._address.name:
                return entry
        names = [str(entry.get("id")) for entry in entries]
        serves = did_you_mean(self._address.name, names) or f"It serves {len(names)} models."
        raise EngineError(f"The server at {self._address.base_url} serves no {self._address.name!r}. {serves}")

    async def _models(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self._http.get("/models")
        except ServerError as error:
            # Nobody waits for a server that is not there; while one is loading (503) it answers.
            raise ServerError(str(error), retry=error.retry and error.status > 0, after=error.after) from None
        return answer

    def capabilities(self) -> Capabilities:
        """As far as the server tells; 0 for numbers that it does not."""
        server = self._requests.server
        meta = self._served.get("meta") or {}
        words = [self._address.name, "on", server.name or "a server", "at", self._address.base_url]
        if server.ignores:
            words.append(f"(which does not take {', '.join(sorted(server.ignores))}: its own settings apply)")
        return Capabilities(
            kind=self._model.kind,
            chat_template=None,
            bos="",
            eos="",
            adds_bos=False,
            n_ctx_train=int(self._served.get("max_model_len") or meta.get("n_ctx_train") or 0),
            n_vocab=int(meta.get("n_vocab") or 0),
            device=self._address.host,
            description=" ".join(words),
            renders_chat=True,
            can_score=False,
        )

    def score(self, request: ScoreRequest) -> Scored:
        """Not to be had: the interface of these servers gives no ranks of a given text's tokens."""
        raise EngineError(
            f"{self._model.name} is behind a server, which gives no log-probs and ranks of a given text. "
            "Score with a local model (llama: or hf:)."
        )

    def sample(self, requests: Sequence[SampleRequest]) -> Iterator[Event]:
        """Carry out requests, all at once; see protocol.Engine.

        A sample whose stream breaks off is asked for again. One that fails all the same leaves the others alone: they
        are Finished, then the request ends with a Failed that names it.
        """
        events = self._sample(requests)
        try:
            while True:
                try:
                    event = self._loop.run_until_complete(anext(events))
                except StopAsyncIteration:
                    return
                yield event
        finally:
            self._loop.run_until_complete(events.aclose())

    async def _sample(self, requests: Sequence[SampleRequest]) -> AsyncGenerator[Event, None]:
        slots = asyncio.Semaphore(self._requests.server.width)
        running = {cell: asyncio.create_task(self._serve(cell, slots)) for cell in map(Cell, requests)}
        try:
            while running:
                await asyncio.wait(running.values(), timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for cell, task in list(running.items()):
                    self._end_cancelled(cell, task)
                    if not cell.open_rows:
                        task.cancel()
                        await asyncio.wait([task])
                    for event in cell.due():
                        yield event
                    if task.done():
                        del running[cell]
                        if not task.cancelled():
                            task.result()
                        yield cell.ending()
        finally:
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)

    def _end_cancelled(self, cell: Cell, task: asyncio.Task[None]) -> None:
        """End the rows that were cancelled; a stream that is left without open rows is closed."""
        for row in cell.open_rows:
            if self._cancel.hit(cell.request.key, row.sample):
                cell.end(row, row.finish or "cancelled")
        for stream, rows in cell.tasks:
            if not stream.done() and all(row.reason for row in rows):
                stream.cancel()
