"""The generation loop of the local engines: which rows to decode, what to draw, when to stop, what to report.

It works on a `Decoder`, the few things a local engine has to offer, so that llama.cpp and transformers share every
rule about seeds, stops, cancelling and the two modes:

strict: every decode carries blocks of exactly 8 rows. Sample i sits in row i % 8 of block i // 8; rows that are not
    asked for, finished or cancelled decode a dummy until their block ends. The text of a sample is then a function of
    its cell and its seed alone, on the same build and device. Several blocks share a decode only where `strictwidth`
    found that this changes no logit.
fast: as many rows as pay, refilled when samples finish. No promise of replay.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.protocol import (
    Delta,
    Done,
    Event,
    Finished,
    FinishReason,
    Progress,
    SampleRequest,
    SampleResult,
    Started,
    TokenStats,
)
from alignbench.engines.sampler import Draw, Sampler, uniform
from alignbench.engines.textstream import TextStream

STRICT_WIDTH = 8
PROGRESS_SECONDS = 0.04  # between two Progress events of a cell

Floats = NDArray[np.float32]


class Aborted(Exception):
    """The request was cancelled as a whole while the engine was busy with its prompt."""


class Cancellation:
    """Which samples of the running request were cancelled. Written by the worker's reader thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled: dict[int, set[int] | None] = {}

    def cancel(self, key: int, samples: Sequence[int] | None) -> None:
        """Cancel some samples of a request that runs or will run, or (None) all of it."""
        with self._lock:
            before = self._cancelled.get(key, set())
            self._cancelled[key] = None if samples is None or before is None else before | set(samples)

    def whole(self, key: int) -> bool:
        """Whether all of the request is cancelled."""
        with self._lock:
            return key in self._cancelled and self._cancelled[key] is None

    def hit(self, key: int, sample: int) -> bool:
        """Whether this sample is cancelled."""
        with self._lock:
            samples = self._cancelled.get(key, set())
            return samples is None or sample in samples

    def forget(self, key: int) -> None:
        """The request has ended."""
        with self._lock:
            self._cancelled.pop(key, None)


class Decoder(Protocol):
    """What the loop needs of a local engine. A slot is a sequence of its own that continues the prompt."""

    fast_width: int  # rows that pay in fast mode

    def strict_blocks(self) -> int:
        """Blocks of 8 rows that may share a decode in strict mode."""

    def begin(self, ids: Sequence[int], cut: int, width: int, max_tokens: int, strict: bool) -> tuple[Floats, int]:
        """Bring a prompt into the cache, with room for `width` responses of `max_tokens` tokens.

        cut: length of the context part in tokens. Returns the logits after the last token, shape (vocab,), valid
        until the next call, and how many tokens were cached already. Raises EngineError when it does not fit.
        """

    def fork(self, slot: int) -> None:
        """Let a slot continue the prompt."""

    def drop(self, slot: int) -> None:
        """Forget what a slot generated."""

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Floats:
        """Append a token to each slot; logits (len(slots), vocab), valid until the next call."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends a response (EOS, end of turn)."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token; special tokens have none."""


@dataclass(slots=True, eq=False)
class _Row:
    """A response that is being generated in a slot."""

    sample: int
    slot: int
    stream: TextStream
    started: float
    token: int = 0
    draws: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    seen: NDArray[np.int64] | None = None

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
        )


class _Generation:
    """One request on its way through a decoder."""

    def __init__(
        self,
        decoder: Decoder,
        request: SampleRequest,
        prompt_ids: Sequence[int],
        sampler: Sampler,
        cancel: Cancellation,
    ) -> None:
        self._decoder = decoder
        self._request = request
        self._prompt_ids = prompt_ids
        self._sampler = sampler
        self._cancel = cancel
        self._deltas: dict[int, tuple[str, int]] = {}  # sample -> (text since the last Progress, tokens so far)
        self._n_tokens = 0  # since the last Progress
        self._last_progress = 0.0

    def open_row(self, sample: int, slot: int) -> _Row:
        self._decoder.fork(slot)
        row = _Row(sample, slot, TextStream(self._request.stops), time.perf_counter())
        if self._request.sampling.repetition_penalty != 1:
            row.seen = np.unique(np.asarray(self._prompt_ids, np.int64))
        return row

    def advance(self, rows: Sequence[_Row], logits: Sequence[Floats]) -> Iterator[tuple[_Row, FinishReason]]:
        """Draw the next token of each row; the rows that have ended, and why."""
        request = self._request
        uniforms = [uniform(request.seed + row.sample, request.stream, len(row.draws)) for row in rows]
        seen = [row.seen for row in rows if row.seen is not None]
        draw = self._sampler.draw(logits, uniforms, seen or None)
        for i, row in enumerate(rows):
            reason = self._take(row, draw, i)
            if reason is None and self.is_cancelled(row.sample):
                reason = "cancelled"
            if reason:
                yield row, reason

    def _take(self, row: _Row, draw: Draw, i: int) -> FinishReason | None:
        token = row.token = int(draw.ids[i])
        row.draws.append(
            (token, float(draw.logprob[i]), float(draw.entropy[i]),
             float(draw.sampling_logprob[i]), float(draw.sampling_entropy[i]))
        )  # fmt: skip
        self._n_tokens += 1
        if row.seen is not None:
            row.seen = np.union1d(row.seen, [token])
        if self._decoder.is_end(token):
            return "stop"
        self._show(row, row.stream.feed(self._decoder.piece(token)))
        if row.stream.stopped:
            return "stop"
        return "length" if len(row.draws) >= self._request.sampling.max_tokens else None

    def _show(self, row: _Row, text: str) -> None:
        before = self._deltas.get(row.sample, ("", 0))[0]
        self._deltas[row.sample] = (before + text, len(row.draws))

    def is_cancelled(self, sample: int) -> bool:
        return self._cancel.hit(self._request.key, sample)

    def end(self, row: _Row, reason: FinishReason) -> Iterator[Event]:
        self._show(row, row.stream.finish())
        yield from self.progress(now=True)
        yield Finished(self._request.key, row.result(reason, len(self._prompt_ids)))

    def unstarted(self, sample: int) -> Finished:
        """A sample that was cancelled before its first token."""
        row = _Row(sample, -1, TextStream(()), time.perf_counter())
        return Finished(self._request.key, row.result("cancelled", len(self._prompt_ids)))

    def progress(self, now: bool = False) -> Iterator[Event]:
        clock = time.perf_counter()
        if self._deltas and (now or clock - self._last_progress >= PROGRESS_SECONDS):
            deltas = tuple(Delta(sample, text, n) for sample, (text, n) in self._deltas.items())
            yield Progress(self._request.key, deltas, self._n_tokens)
            self._deltas, self._n_tokens, self._last_progress = {}, 0, clock


def generate(
    decoder: Decoder,
    request: SampleRequest,
    prompt_ids: Sequence[int],
    cut: int,
    sampler: Sampler,
    cancel: Cancellation,
) -> Iterator[Event]:
    """Draw the samples of a request: Started, Progress and Finished events, then Done.

    prompt_ids: the whole rendered prompt. cut: how many of them belong to the context part. Raises EngineError.
    """
    strict = request.mode == "strict"
    blocks = sorted({sample // STRICT_WIDTH for sample in request.samples})
    together = min(len(blocks), decoder.strict_blocks()) if strict and len(blocks) > 1 else 1
    width = STRICT_WIDTH * together if strict else min(decoder.fast_width, len(request.samples))
    generation = _Generation(decoder, request, prompt_ids, sampler, cancel)
    start = time.perf_counter()
    try:
        first, n_cached = decoder.begin(prompt_ids, cut, width, request.sampling.max_tokens, strict)
    except Aborted:
        yield from (generation.unstarted(sample) for sample in request.samples)
        yield Done(request.key)
        return
    first = first.copy()  # every row begins with it
    yield Started(request.key, tuple(prompt_ids), n_cached, time.perf_counter() - start)
    if strict:
        for at in range(0, len(blocks), together):
            yield from _strict_blocks(generation, decoder, request.samples, blocks[at : at + together], first)
    else:
        yield from _fast(generation, decoder, list(request.samples), first, width)
    yield Done(request.key)


def _strict_blocks(
    generation: _Generation, decoder: Decoder, samples: Sequence[int], blocks: Sequence[int], first: Floats
) -> Iterator[Event]:
    """The samples of some blocks of 8, every decode as wide as all the blocks."""
    width = STRICT_WIDTH * len(blocks)
    tokens = [0] * width
    rows = []
    for slot in range(width):
        sample = STRICT_WIDTH * blocks[slot // STRICT_WIDTH] + slot % STRICT_WIDTH
        if sample in samples and generation.is_cancelled(sample):
            yield generation.unstarted(sample)
        elif sample in samples:
            rows.append(generation.open_row(sample, slot))
            continue
        decoder.fork(slot)
    logits: Sequence[Floats] = [first] * width
    while rows:
        ended = dict(generation.advance(rows, [logits[row.slot] for row in rows]))
        for row in rows:
            tokens[row.slot] = row.token
        for row, reason in ended.items():
            yield from generation.end(row, reason)
        rows = [row for row in rows if row not in ended]
        yield from generation.progress()
        if rows:
            logits = decoder.step(range(width), tokens)
    for slot in range(width):
        decoder.drop(slot)


def _fast(generation: _Generation, decoder: Decoder, waiting: list[int], first: Floats, width: int) -> Iterator[Event]:
    """As many rows as the width allows; a slot that is free takes the next sample."""
    rows: list[_Row] = []
    free = list(range(width))
    logits: list[Floats] = []
    while rows or waiting:
        while waiting and free:
            sample = waiting.pop(0)
            if generation.is_cancelled(sample):
                yield generation.unstarted(sample)
                continue
            rows.append(generation.open_row(sample, free.pop(0)))
            logits.append(first)
        if not rows:
            break
        ended = dict(generation.advance(rows, logits))
        for row, reason in ended.items():
            yield from generation.end(row, reason)
            decoder.drop(row.slot)
            free.append(row.slot)
        rows = [row for row in rows if row not in ended]
        yield from generation.progress()
        logits = list(decoder.step([row.slot for row in rows], [row.token for row in rows])) if rows else []
