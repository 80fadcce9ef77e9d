"""Models behind OpenAI-compatible servers: completions for rendered text, chat completions for messages.

What differs from the local engines, because the server owns it:

- Randomness. Each sample has a seed of its own and the samples of a cell are independent, but no server promises the
  same text for the same seed; what it does is measured (`measure_replay`). Strict and fast mode are the same here.
- Rendering of chats. The request carries messages. Where the server gives its chat template, or models.toml names a
  tokenizer that has it, given responses are scored behind the text that it renders. Token ids of a prompt that is
  sampled from are known from vLLM alone.
- Sampling. All parameters are sent; see `openai_request` for those that a server may not know. The window of the
  repetition penalty is the server's.
- Tokens. Log-probs are stored where the server gives them (raw ones, as vLLM and llama.cpp do by default), ids where it
  gives those; what is unknown is NaN, or -1 for an id, and 0 for the length of a prompt. A stop string that the server
  cuts is not part of `raw_text`. Without log-probs or counts from the server, a piece of the stream counts as a token.
- Thoughts. Where a server gives them apart, they are `thinking`, and text, tokens and log-probs are the answer's alone.
- Ends. What a server does not call an end is none (see finish_reasons): such a sample fails, and keeps what came of it.

Tried against the servers of llama-cpp-python, vLLM and llama.cpp (tests/servers). What is
done for SGLang and Ollama follows their documentation.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai import replay
from alignbench.engines.openai.choices import FieldError, choices_of, read_choice, read_prompt_ids, read_usage
from alignbench.engines.openai.http import DONE, Http, retrying
from alignbench.engines.openai.model_list import whole_number
from alignbench.engines.openai.remote_model import RemoteModel, find_remote_model
from alignbench.engines.openai.request import refuses_n, seed_of
from alignbench.engines.openai.route import Route
from alignbench.engines.openai.server_error import ServerError
from alignbench.engines.openai.side_by_side import side_by_side
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.openai.streams import StreamedCell
from alignbench.engines.openai.trials import Endpoint
from alignbench.engines.protocol import (
    Capabilities,
    Event,
    Failed,
    LikelihoodRequest,
    More,
    MoreLikelihoods,
    Replay,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
)
from alignbench.errors import EngineError
from alignbench.models.adapter import Adapter
from alignbench.models.openai_address import Address, parse_address
from alignbench.models.reference import parse_reference
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Model

E = TypeVar("E")

TICK_SECONDS = 0.04  # between two looks at what is due and what was cancelled

MAX_CHOICES = 32  # of one request


class OpenAIEngine:
    """A model of a server. Not thread-safe; `threads` means nothing here. Raises EngineError, InputError."""

    takes_more = True

    def __init__(
        self,
        model: Model,
        cancel: Cancellation,
        settings: ServerSettings | None = None,
        *,
        address: Address | None = None,
        route: Route | None = None,
        why_gone: Callable[[], str] | None = None,
    ) -> None:
        """
        Args:
            model: that is served
            cancel: which samples were cancelled
            settings: what models.toml says of the server
            address: of the server; None for the one in the model's reference
            route: the way there, None for that of the environment
            why_gone: says, when a connection broke, why the server has ended; empty where it has not
        """
        self.threads = 1
        self._model = model
        self._cancel = cancel
        self._loop = asyncio.new_event_loop()
        self._connect(
            address or parse_address(parse_reference(model.reference).target),
            settings or ServerSettings(),
            route,
            why_gone,
        )

    def _connect(
        self, address: Address, settings: ServerSettings, route: Route | None, why_gone: Callable[[], str] | None
    ) -> None:
        """Find the model at an address. On an error the engine is closed."""
        self._address, self._settings = address, settings
        self._http = Http(address, settings, route, why_gone)
        above = replace(address, base_url=address.base_url.removesuffix("/v1"), extra_body="")
        self._root = Http(above, settings, route, why_gone)  # of what a server has beside the API
        try:
            self._remote = self._look_around(address)
        except BaseException:
            self.close()
            raise

    def _look_around(self, address: Address) -> RemoteModel:
        """What the server tells of the model of an address."""
        return self._loop.run_until_complete(find_remote_model(self._http, self._root, address, self._settings))

    def measure_replay(self, *, chat: bool | None = None) -> Replay:
        """Draw one seed a few times, a few tokens each; `capabilities` has from now on what came of it.

        Nothing is known where the server fails, or takes longer than `replay.SECONDS`. chat: whether chat completions
        are drawn, by default what a model of this kind is asked for.
        """
        chat = self._model.kind == "aligned" if chat is None else chat
        self._remote.replay = self._loop.run_until_complete(self._measured_replay(chat))
        return self._remote.replay

    async def _measured_replay(self, chat: bool) -> Replay:
        async def draw(query: str, seed: int) -> str:
            request = replay.probe(query, chat=chat)
            (row,) = await self._remote.trials.rows(request, seed=seed)
            return f"{row.thinking.text}\n{row.stream.raw_text}"

        try:
            async with asyncio.timeout(replay.SECONDS):
                return await replay.measured(draw, self._remote.width, lambda: self._remote.requests.takes_seed)
        except (EngineError, FieldError, TimeoutError):
            return ""

    @property
    def takes_seed(self) -> bool:
        """Whether the server has refused no seed so far."""
        return self._remote.requests.takes_seed

    def supports(self, parameter: str) -> bool:
        """Whether the server takes a sampling parameter that is an extension, as far as is known."""
        return self._remote.requests.supports(parameter)

    @property
    def schema_form(self) -> int:
        """How many of the ways to ask for a schema the server has refused so far; see `request`."""
        return self._remote.requests.refused_forms

    def ask(self, request: SampleRequest, *, seed: int = 1) -> list[StreamedSample]:
        """The one choice of a request that is not streamed. Raises EngineError."""
        try:
            return self._loop.run_until_complete(self._remote.trials.rows(request, seed=seed))
        except FieldError as error:
            raise EngineError(self._unreadable(error)) from None

    def endpoint(self, *, chat: bool) -> Endpoint:
        """What the server can do in completions or chat completions. Raises EngineError."""
        path = self._remote.requests.path(replay.probe("", chat=chat))
        return self._loop.run_until_complete(self._remote.trials.endpoint(path))

    def close(self) -> None:
        """Close the connections."""
        self._disconnect()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _disconnect(self) -> None:
        for http in (self._http, self._root):
            self._loop.run_until_complete(http.close())

    def capabilities(self) -> Capabilities:
        """As far as the server tells; 0 for numbers that it does not."""
        return self._known(self._remote)

    def _known(self, remote: RemoteModel) -> Capabilities:
        server, layout, tokenizer = remote.requests.server, remote.prompts.layout, remote.prompts.tokenizer
        meta = remote.entry.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        words = [self._address.name, "on", server.name or "a server", "at", self._address.base_url]
        if server.ignores:
            words.append(f"(which does not take {', '.join(sorted(server.ignores))}: its own settings apply)")
        return Capabilities(
            kind=self._model.kind,
            chat_template=layout.template or None,
            bos=layout.bos,
            eos=layout.eos,
            adds_bos=tokenizer is not None and tokenizer.adds_bos,
            n_ctx_train=whole_number(remote.entry.get("max_model_len")) or whole_number(meta.get("n_ctx_train")),
            n_vocab=whole_number(meta.get("n_vocab")),
            device=self._address.host,
            description=" ".join(words),
            renders_chat=True,
            replay=remote.replay,
            chat_probe=layout.probe,
            chat_fields=self._chat_fields(),
            no_template=remote.prompts.no_template,
            lanes=remote.width,
            special_tokens=layout.special,
        )

    def score(self, request: LikelihoodRequest) -> Scored:
        """Works where the server gives log-probs of texts, see token_scoring and echo_scoring. Raises EngineError
        elsewhere."""
        (answer,) = self.score_all([request])
        if isinstance(answer, Failed):
            raise EngineError(answer.message)
        return answer

    def _chat_fields(self) -> str:
        """What every request has for the chat template: a field of vLLM, SGLang and llama-server."""
        fields = self._address.extra.get("chat_template_kwargs")
        return json.dumps(fields, sort_keys=True) if isinstance(fields, dict) and fields else ""

    def score_all(
        self, requests: Sequence[LikelihoodRequest], more: MoreLikelihoods | None = None
    ) -> Iterator[Scored | Failed]:
        """As many at once as the server is asked at a time. First tokens are told where it gives log-probs of what it
        generates, see first_token, given texts as `score` says; each request fails elsewhere."""
        remote = self._remote
        width = remote.scoring_width
        return self._each(side_by_side(remote.score, requests, more or (lambda: ()), width, self._cancel))

    def tokens(self, request: TokenizeRequest) -> Tokenized:
        """To be had where the tokenizer is known, see prompt_tokens. Raises EngineError elsewhere."""
        tokenizer = self._remote.prompts.tokenizer
        if tokenizer is None:
            raise EngineError(f"{self._model.name} is behind a server, whose tokens are not known before it answers.")
        found = [self._loop.run_until_complete(tokenizer.split(text)) for text in request.texts]
        return Tokenized(request.key, tuple(each.ids for each in found), tuple(each.pieces for each in found))

    def use(self, adapter: Adapter | None) -> None:
        """A server's adapters are served names, models of their own."""
        if adapter is not None:
            raise EngineError(f"{self._model.name} is behind a server; an adapter there is a served name of its own.")

    def sample(self, requests: Sequence[SampleRequest], more: More | None = None) -> Iterator[Event]:
        """Carry out requests, all at once, and with them those that come meanwhile; see protocol.Engine.

        A sample whose stream breaks off is asked for again. One that fails all the same leaves the others alone: they
        are Finished, then the request ends with a Failed that names it.
        """
        return self._each(self._sample(requests, more or (lambda: ())))

    def _each(self, events: AsyncGenerator[E, None]) -> Iterator[E]:
        try:
            while True:
                try:
                    event = self._loop.run_until_complete(anext(events))
                except StopAsyncIteration:
                    return
                yield event
        finally:
            self._loop.run_until_complete(events.aclose())

    async def _sample(self, requests: Sequence[SampleRequest], more: More) -> AsyncGenerator[Event, None]:
        slots = asyncio.Semaphore(self._remote.width)
        running: dict[StreamedCell, asyncio.Task[None]] = {}
        new = requests
        try:
            while running or new:
                running |= {cell: asyncio.create_task(self._serve(cell, slots)) for cell in map(StreamedCell, new)}
                await asyncio.wait(running.values(), timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for cell, task in list(running.items()):
                    self._end_cancelled(cell)
                    if not cell.open_rows:
                        task.cancel()
                        await asyncio.wait([task])
                    over = task.done()  # asked before what is due: a row may end while events are given out
                    for event in cell.due():
                        yield event
                    if over:
                        del running[cell]
                        if not task.cancelled():
                            task.result()
                        yield cell.ending()
                new = more()
        finally:
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)

    def _end_cancelled(self, cell: StreamedCell) -> None:
        """End the rows that were cancelled; a stream that is left without open rows is closed."""
        for row in cell.open_rows:
            if self._cancel.hit(cell.request.key, row.sample):
                cell.end(row, row.finish or "cancelled")
        for stream, rows in cell.tasks:
            if not stream.done() and all(row.reason for row in rows):
                stream.cancel()

    async def _serve(self, cell: StreamedCell, slots: asyncio.Semaphore) -> None:
        """Generate the rows of a cell; what goes wrong is written on the rows."""
        self._end_cancelled(cell)
        if not cell.open_rows:
            return
        try:
            endpoint = await self._remote.trials.endpoint(self._remote.requests.path(cell.request))
        except EngineError as error:
            for row in cell.open_rows:
                row.fail(str(error))
            return
        await self._spread(cell, _groups(cell.open_rows, MAX_CHOICES if endpoint.n else 1), slots)

    async def _spread(
        self, cell: StreamedCell, groups: Sequence[Sequence[StreamedSample]], slots: asyncio.Semaphore
    ) -> None:
        """Generate groups of rows side by side, as far as there are slots."""
        tasks = [asyncio.create_task(self._draw(cell, rows, slots)) for rows in groups]
        cell.tasks.extend(zip(tasks, groups, strict=True))
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):  # which a cancellation is not
                raise outcome

    async def _draw(self, cell: StreamedCell, rows: Sequence[StreamedSample], slots: asyncio.Semaphore) -> None:
        """Generate rows with one request, and again what is missing of them."""

        async def attempt() -> None:
            left = [row for row in rows if row.reason is None]
            if len(left) == len(rows):
                await self._stream(cell, rows, slots)
                left = [row for row in rows if row.reason is None]
            await self._spread(cell, [[row] for row in left], slots)

        try:
            await retrying(attempt)
        except EngineError as error:
            others = [] if _may_pass(error) else [row for row in cell.open_rows if not row.begun]
            for row in {*rows, *others}:
                if row.reason is None:
                    row.fail(str(error))

    async def _stream(self, cell: StreamedCell, rows: Sequence[StreamedSample], slots: asyncio.Semaphore) -> None:
        """One request for as many choices as there are rows. Rows that got none stay open; the others end.

        Raises ServerError, to be retried where a response is not complete.
        """
        request = cell.request
        path = self._remote.requests.path(request)
        endpoint = await self._remote.trials.endpoint(path)
        async with slots:
            while any(row.reason is None for row in rows):  # a refusal that is all rows' ends those that wait here
                seed = seed_of(request, rows[0].sample)
                body = self._remote.requests.body(request, seed, len(rows), logprobs=endpoint.logprobs)
                try:
                    await self._follow(cell, rows, path, body)
                    break
                except ServerError as error:
                    if len(rows) > 1 and refuses_n(error):
                        break
                    if not self._remote.requests.learn(error, body):
                        raise
        if len(rows) > 1 and any(row.reason is None for row in rows):
            endpoint.n = False

    async def _follow(
        self, cell: StreamedCell, rows: Sequence[StreamedSample], path: str, body: dict[str, Any]
    ) -> None:
        for row in rows:
            row.restart()
            row.remark(*self._remote.requests.remarks(cell.request.sampling))
        try:
            async with aclosing(self._http.stream(path, body)) as events:
                async for event in events:
                    if event is DONE:
                        for row in rows:
                            row.end_of_stream()
                        break
                    cell.answered(read_prompt_ids(event))
                    self._take(cell, rows, event)
                    if all(row.is_over for row in rows):
                        break
        finally:
            for row in rows:
                if row.reason is None and row.finish:
                    cell.end(row, row.finish)
                elif row.reason is None and row.ending and not row.ending.retry:
                    row.fail(row.ending.why)
        for row in rows:
            if row.reason is None and row.ending:
                raise ServerError(row.ending.why, retry=True)
        if not any(row.begun for row in rows):
            await self._refused_in_words(path, body)
        if not any(row.begun for row in rows) or any(row.begun and row.reason is None for row in rows):
            none = "" if any(row.begun for row in rows) else f" No choice of index 0 to {len(rows) - 1} came."
            message = f"{self._http.who} ended its stream before the response was complete.{none}"
            raise ServerError(message, retry=True)

    def _take(self, cell: StreamedCell, rows: Sequence[StreamedSample], event: dict[str, Any]) -> None:
        """Give the rows what an event says of them. Choices that nobody asked for are passed over."""
        usage = read_usage(event)
        for row in rows:
            row.take_usage(usage, alone=len(rows) == 1)
        try:
            choices = choices_of(event, len(rows))
        except FieldError as error:
            raise ServerError(self._unreadable(error)) from None
        for index, choice, where in choices:
            row = rows[index]
            if not row.is_over:
                try:
                    cell.show(row, row.take(read_choice(choice, where)))
                except FieldError as error:
                    row.fail(self._unreadable(error))

    def _unreadable(self, error: FieldError) -> str:
        return f"{self._http.who} answered with what cannot be read: {error}"

    async def _refused_in_words(self, path: str, body: dict[str, Any]) -> None:
        """Raise the ServerError that a server hides behind an empty stream, as llama_cpp.server does."""
        unstreamed = {name: value for name, value in body.items() if name not in ("stream", "stream_options", "n")}
        # More than once: such a server drops the connection after it, which httpx may already have taken up again.
        await retrying(lambda: self._http.post(path, {**unstreamed, self._remote.requests.limit: 1}))


def _groups(rows: Sequence[StreamedSample], longest: int) -> list[list[StreamedSample]]:
    """Rows in runs of samples that follow one another, as their seeds then do."""
    groups: list[list[StreamedSample]] = []
    for row in rows:
        if groups and len(groups[-1]) < longest and groups[-1][-1].sample + 1 == row.sample:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _may_pass(error: EngineError) -> bool:
    """Whether the same request may succeed for another sample."""
    return isinstance(error, ServerError) and not error.about_request and error.status not in (401, 403, 404)
