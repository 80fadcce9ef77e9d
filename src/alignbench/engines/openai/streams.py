"""Samples while a server generates them: their text, their tokens, how they ended, and the events of their cell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from alignbench.engines.local.rows import PROGRESS_SECONDS
from alignbench.engines.openai.choices import token_logprobs
from alignbench.engines.protocol import (
    Delta,
    Done,
    Event,
    Failed,
    Finished,
    FinishReason,
    SampleRequest,
    SampleResult,
    Started,
    TextDeltas,
    TokenStats,
)
from alignbench.engines.text_stream import TextStream


class StreamedSample:
    """One sample. `reason` is set when nothing more will come for it, and `failure` too where it failed."""

    def __init__(self, sample: int, stops: Sequence[str], passes: int = 0) -> None:
        self.sample = sample
        self.reason: FinishReason | None = None
        self.failure = ""
        self._stops = stops
        self._passes = passes
        self._given = ""  # what was shown of this sample, by any attempt
        self.restart()

    def restart(self) -> None:
        """Forget what an attempt that broke off has brought. What was shown of it is not shown again."""
        self.stream = TextStream(self._stops, self._passes)
        self.finish: FinishReason | None = None  # what the server says; more may follow, such as the token counts
        self.begun = False
        self.n_prompt_tokens: int | None = None  # what the server said
        self.n_completion_tokens = 0
        self._started = time.perf_counter()
        self._ended = 0.0
        self._n_chunks = 0
        self._ids: list[int] = []
        self._logprobs: list[float] = []

    @property
    def has_logprobs(self) -> bool:
        return bool(self._logprobs)

    @property
    def n_tokens(self) -> int:
        """As the log-probs count them, else the server's count, else the pieces of text that came."""
        return len(self._ids) or self.n_completion_tokens or self._n_chunks

    def take(self, choice: dict[str, Any]) -> str:
        """Take a piece of the server's answer in; the new text that may be shown."""
        self.begun = True
        message = choice.get("delta") or choice.get("message") or {}
        text = choice.get("text") or message.get("content") or ""
        self._n_chunks += bool(text)
        for token, logprob in token_logprobs(choice.get("logprobs")):
            self._ids.append(token)
            self._logprobs.append(logprob)
        reason = choice.get("finish_reason")
        if reason == "content_filter":
            self.fail("The server's content filter cut the response.")
        elif reason:
            self.finish = "length" if reason == "length" else "stop"
        self.stream.feed(text.encode("utf-8", "surrogatepass"))
        if self.stream.stopped:
            self.finish = "stop"
        return self._unseen()

    def end(self, reason: FinishReason) -> str:
        """Nothing more will come; the rest of the text."""
        self.reason = reason
        self._ended = time.perf_counter()
        self.stream.finish()
        return self._unseen()

    def fail(self, message: str) -> None:
        self.reason, self.failure = "error", message

    def _unseen(self) -> str:
        """Text that was not shown yet; none while a new attempt has not come up to what an earlier one showed."""
        now = self.stream.text
        if not now.startswith(self._given):
            return ""
        unseen = now[len(self._given) :]
        self._given = now
        return unseen

    def result(self) -> SampleResult:
        assert self.reason is not None
        n = self.n_tokens
        logprob = np.array(self._logprobs or [np.nan] * n, np.float32)
        unknown = np.full(n, np.nan, np.float32)
        return SampleResult(
            sample=self.sample,
            text=self.stream.text,
            raw_text=self.stream.raw_text,
            finish_reason=self.reason,
            n_prompt_tokens=self.n_prompt_tokens,
            n_tokens=n,
            seconds=self._ended - self._started,
            logprob=float(logprob.sum(dtype=np.float64)) if n else float("nan"),
            tokens=TokenStats(np.array(self._ids or [-1] * n, np.int32), logprob, unknown, unknown, unknown),
        )


class StreamedCell:
    """One request: its rows, and the events that are due for it."""

    def __init__(self, request: SampleRequest) -> None:
        self.request = request
        self.rows = [StreamedSample(sample, request.stops, request.passes) for sample in request.samples]
        self.tasks: list[tuple[asyncio.Task[None], Sequence[StreamedSample]]] = []  # what generates which rows
        self._started_at = time.perf_counter()
        self._seconds: float | None = None  # up to the first answer
        self._said_started = False
        self._reported: set[StreamedSample] = set()
        self._deltas: dict[StreamedSample, str] = {}
        self._counts: dict[StreamedSample, int] = {}  # tokens that TextDeltas events have counted
        self._last_progress = 0.0

    @property
    def open_rows(self) -> list[StreamedSample]:
        """Rows that something may still come for."""
        return [row for row in self.rows if row.reason is None]

    def answered(self) -> None:
        """The server has begun to answer."""
        if self._seconds is None:
            self._seconds = time.perf_counter() - self._started_at

    def show(self, row: StreamedSample, text: str) -> None:
        self._deltas[row] = self._deltas.get(row, "") + text

    def end(self, row: StreamedSample, reason: FinishReason) -> None:
        self.show(row, row.end(reason))

    def due(self) -> list[Event]:
        """Events since the last call, TextDeltas coalesced; the last of them is not among them (see `ending`).

        A list and no generator: while events are given out, more text comes in.
        """
        key = self.request.key
        events: list[Event] = []
        if self._seconds is not None and not self._said_started:
            self._said_started = True
            events.append(Started(key, (), 0, self._seconds))
        ended = [row for row in self.rows if row.reason is not None and row not in self._reported]
        clock = time.perf_counter()
        if self._deltas and (ended or clock - self._last_progress >= PROGRESS_SECONDS):
            drawn = sum(row.n_tokens for row in self._deltas) - sum(self._counts.get(row, 0) for row in self._deltas)
            deltas = tuple(Delta(row.sample, text, row.n_tokens) for row, text in self._deltas.items())
            events.append(TextDeltas(key, deltas, max(0, drawn)))
            self._counts |= {row: row.n_tokens for row in self._deltas}
            self._deltas, self._last_progress = {}, clock
        for row in ended:
            self._reported.add(row)
            if not row.failure:
                events.append(Finished(key, row.result()))
        return events

    def ending(self) -> Event:
        """Done, or Failed with the messages of the samples that failed."""
        failures: dict[str, list[int]] = {}
        for row in self.rows:
            if row.failure:
                failures.setdefault(row.failure, []).append(row.sample)
        if not failures:
            return Done(self.request.key)
        if list(failures.values()) == [list(self.request.samples)]:
            return Failed(self.request.key, next(iter(failures)))
        parts = [f"Sample {', '.join(map(str, samples))}: {message}" for message, samples in failures.items()]
        return Failed(self.request.key, " ".join(parts))
