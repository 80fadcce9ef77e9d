"""A request on its way through a decoder, and the responses it is drawing: one row each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.decoder import Decoder, Grammar
from alignbench.engines.local.sampler import DrawnTokens
from alignbench.engines.protocol import (
    Delta,
    Done,
    Event,
    Finished,
    FinishReason,
    SampleRequest,
    SampleResult,
    TextDeltas,
    TokenStats,
)
from alignbench.engines.text_stream import TextStream

PROGRESS_SECONDS = 0.04  # between two TextDeltas events of a cell


@dataclass(frozen=True, slots=True)
class TokenizedRequest:
    """A request with its prompt's token ids; the first `cut` of them belong to the context part."""

    request: SampleRequest
    ids: tuple[int, ...]
    cut: int


@dataclass(slots=True, eq=False)
class DecodingRow:
    """A response that is being generated in a slot."""

    cell: DecodingCell
    sample: int
    slot: int
    stream: TextStream
    started: float
    token: int = 0
    draws: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    n_thinking: int | None = None  # tokens up to what ends the thoughts, once it has come
    seen: NDArray[np.int64] | None = None
    grammar: Grammar | None = None

    def result(self, reason: FinishReason, n_prompt_tokens: int) -> SampleResult:
        columns = list(zip(*self.draws, strict=True)) or [()] * 5
        ids, *floats = columns
        logprobs = np.array(floats[0], np.float32)
        return SampleResult(
            sample=self.sample,
            text=self.stream.text,
            raw_text=self.stream.raw_text,
            finish_reason=reason,
            n_prompt_tokens=n_prompt_tokens,
            n_tokens=len(self.draws),
            seconds=time.perf_counter() - self.started,
            logprob=float(logprobs.sum(dtype=np.float64)),
            tokens=TokenStats(np.array(ids, np.int32), logprobs, *(np.array(f, np.float32) for f in floats[1:])),
            n_thinking_tokens=self.n_thinking,
        )


class DecodingCell:
    """One request on its way through a decoder."""

    def __init__(self, prepared: TokenizedRequest, cancel: Cancellation) -> None:
        self.request = prepared.request
        self.ids = prepared.ids
        self.cut = prepared.cut
        self.waiting = list(prepared.request.samples)
        self._cancel = cancel
        self._left = set(prepared.request.samples)
        self._deltas: dict[int, tuple[str, int]] = {}  # sample -> (text since the last TextDeltas, tokens so far)
        self._n_tokens = 0  # since the last TextDeltas
        self._last_progress = 0.0

    def open_row(self, sample: int, slot: int, decoder: Decoder) -> DecodingRow:
        request = self.request
        stream = TextStream(request.stops, request.passes, request.thinking_end)
        row = DecodingRow(self, sample, slot, stream, time.perf_counter())
        if request.schema:
            row.grammar = decoder.grammar(request.schema)
        if request.sampling.repetition_penalty != 1:
            row.seen = np.unique(np.asarray(self.ids, np.int64))
        return row

    def take(self, row: DecodingRow, draw: DrawnTokens, i: int, decoder: Decoder) -> FinishReason | None:
        """Give a row its next token; why the row has ended, if it has."""
        token = row.token = int(draw.ids[i])
        row.draws.append(
            (
                token,
                float(draw.logprob[i]),
                float(draw.entropy[i]),
                float(draw.sampling_logprob[i]),
                float(draw.sampling_entropy[i]),
            )
        )
        self._n_tokens += 1
        if row.seen is not None:
            row.seen = np.union1d(row.seen, [token])
        if decoder.is_end(token):
            return "stop"
        self._show(row, row.stream.feed(decoder.piece(token)))
        if row.stream.marked and row.n_thinking is None:
            row.n_thinking = len(row.draws)
        if row.stream.stopped:
            return "stop"
        if len(row.draws) >= self.request.sampling.max_tokens:
            return "length"
        return "cancelled" if self.is_cancelled(row.sample) else None

    def _show(self, row: DecodingRow, text: str) -> None:
        before = self._deltas.get(row.sample, ("", 0))[0]
        self._deltas[row.sample] = (before + text, len(row.draws))

    def is_cancelled(self, sample: int) -> bool:
        return self._cancel.hit(self.request.key, sample)

    def end(self, row: DecodingRow, reason: FinishReason) -> Iterator[Event]:
        """The end of a row; the last one ends the request."""
        self._show(row, row.stream.finish())
        yield from self.progress(now=True)
        yield from self._finished(row, reason)

    def end_waiting(self) -> Iterator[Event]:
        """The end of a cell that was cancelled before its first token."""
        waiting, self.waiting = self.waiting, []
        for sample in waiting:
            yield from self.end_unstarted(sample)

    def end_unstarted(self, sample: int) -> Iterator[Event]:
        """The end of a sample that was cancelled before its first token."""
        yield from self._finished(DecodingRow(self, sample, -1, TextStream(()), time.perf_counter()), "cancelled")

    def _finished(self, row: DecodingRow, reason: FinishReason) -> Iterator[Event]:
        yield Finished(self.request.key, row.result(reason, len(self.ids)))
        self._left.discard(row.sample)
        if not self._left:
            yield Done(self.request.key)

    def progress(self, now: bool = False) -> Iterator[Event]:
        """What is new since the last TextDeltas, if it is time."""
        clock = time.perf_counter()
        if self._deltas and (now or clock - self._last_progress >= PROGRESS_SECONDS):
            deltas = tuple(Delta(sample, text, n) for sample, (text, n) in self._deltas.items())
            yield TextDeltas(self.request.key, deltas, self._n_tokens)
            self._deltas, self._n_tokens, self._last_progress = {}, 0, clock
