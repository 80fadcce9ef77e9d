"""A cell while a server generates its samples, and the events that are due for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from alignbench.engines.local.rows import PROGRESS_SECONDS
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.protocol import (
    Delta,
    Done,
    Event,
    Failed,
    Finished,
    FinishReason,
    SampleRequest,
    Started,
    TextDeltas,
)


class StreamedCell:
    """One request: its rows, and the events that are due for it."""

    def __init__(self, request: SampleRequest) -> None:
        self.request = request
        self.rows = [StreamedSample(sample, request) for sample in request.samples]
        self.tasks: list[tuple[asyncio.Task[None], Sequence[StreamedSample]]] = []  # what generates which rows
        self._started_at = time.perf_counter()
        self._seconds: float | None = None  # up to the first answer
        self._prompt_ids: tuple[int, ...] = ()
        self._said_started = False
        self._reported: set[StreamedSample] = set()
        self._deltas: dict[StreamedSample, str] = {}
        self._counts: dict[StreamedSample, int] = {}  # tokens that TextDeltas events have counted
        self._last_progress = 0.0

    @property
    def open_rows(self) -> list[StreamedSample]:
        """Rows that something may still come for."""
        return [row for row in self.rows if row.reason is None]

    def answered(self, prompt_ids: tuple[int, ...] = ()) -> None:
        """The server has begun to answer. prompt_ids: of the prompt, where it says them."""
        if self._seconds is None:
            self._seconds = time.perf_counter() - self._started_at
            self._prompt_ids = prompt_ids

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
            events.append(Started(key, self._prompt_ids, 0, self._seconds))
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
        broken = tuple(row.result() for row in self.rows if row.failure)
        if list(failures.values()) == [list(self.request.samples)]:
            return Failed(self.request.key, next(iter(failures)), broken=broken)
        parts = [f"Sample {', '.join(map(str, samples))}: {message}" for message, samples in failures.items()]
        return Failed(self.request.key, " ".join(parts), broken=broken)
