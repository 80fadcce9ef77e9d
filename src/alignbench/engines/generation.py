"""The generation loop of the local engines: which rows to decode, what to draw, when to stop, what to report.

It works on a `Decoder`, the few things a local engine has to offer, so that llama.cpp and transformers share every
rule about seeds, stops, cancelling and the two modes:

strict: every decode carries exactly 8 rows. Sample i sits in row i % 8 of block i // 8; rows that are not asked for,
    finished or cancelled decode a dummy. The text of a sample is then a function of its cell and its seed alone, on
    the same build and device. Other widths and places are used only where `strictwidth` found that they change no
    logit.
fast: as many rows as pay, refilled when samples finish. No promise of replay.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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
from alignbench.engines.sampler import Draw, Ids, uniform
from alignbench.engines.textstream import TextStream
from alignbench.errors import EngineError
from alignbench.spec import Sampling

STRICT_WIDTH = 8
PROGRESS_SECONDS = 0.04  # between two Progress events of a cell

Floats = NDArray[np.float32]
Logits = Any  # float32, (rows, vocab) or a row of it: a numpy array, or a tensor on the device of decoder and sampler


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


class RowSampler(Protocol):
    """Draws tokens from the logits of a decoder; see sampler.Sampler."""

    def draw(self, logits: Sequence[Logits], uniforms: Sequence[float], seen: Sequence[Ids] | None = None) -> Draw:
        """Draw a token for each row of logits."""

    def close(self) -> None:
        """Free what it holds."""


class Grammar(Protocol):
    """What a response may still say, token by token."""

    def allows(self, token: int) -> bool:
        """Whether the token may come next; an end token where the response may end here."""

    def allowed(self) -> NDArray[np.bool_]:
        """The same for every token, (vocab,). Costly: each token's text is looked at."""

    def accept(self, token: int) -> None:
        """Go on behind a token that is allowed and does not end the response."""


class Decoder(Protocol):
    """What the loop needs of a local engine. A slot is a sequence of its own that continues the prompt."""

    fast_width: int  # rows that pay in fast mode

    def strict_widths(self, n: int, shared: int, own: int) -> tuple[int, ...]:
        """Widths of a decode at which n samples may sit in any row in strict mode, see StrictWidths.up_to.

        shared, own: what will be reserved for them.
        """

    def reserve(self, shared: int, own: int, width: int) -> None:
        """Make room for `width` slots. Raises EngineError when that cannot be had.

        shared: tokens that all slots begin with. own: most tokens of one slot beside them, and of the prompt.
        """

    def sampler(self, params: Sampling, threads: int) -> RowSampler:
        """A sampler for logits of this decoder, with so many threads."""

    def on_host(self, logits: Logits) -> Floats:
        """Logits of this decoder as a numpy array."""

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Logits, int]:
        """Bring a prompt into the cache, reusing what is there; slots forked from now on continue it.

        cut: length of the context part in tokens. Returns the logits after the last token, shape (vocab,), the
        caller's to keep, and how many tokens were cached already. Raises Aborted when request `key` is cancelled
        as a whole meanwhile and no slot is in use.
        """

    def fork(self, slot: int) -> None:
        """Let a slot continue the prompt."""

    def rest(self, slot: int) -> None:
        """A slot takes no further step, but what it holds may stay where it is until it is dropped."""

    def drop(self, slot: int) -> None:
        """Forget what a slot generated."""

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Logits:
        """Append a token to each slot that neither rests nor was dropped; logits (len(slots), vocab), valid until the
        next call."""

    def grammar(self, schema: str) -> Grammar | None:
        """A grammar of the JSON that a schema describes; None where the engine has none. Raises EngineError."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends a response (EOS, end of turn)."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token; special tokens have none."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with its prompt's token ids; the first `cut` of them belong to the context part."""

    request: SampleRequest
    ids: tuple[int, ...]
    cut: int


def generate(decoder: Decoder, batch: Sequence[Prepared], threads: int, cancel: Cancellation) -> Iterator[Event]:
    """Draw the samples of requests of one mode: for each Started, Progress and Finished events, then Done.

    Strict requests run one after the other, fast ones together. threads: of the sampler. Raises EngineError.
    """
    loop = _Loop(decoder, threads)
    cells = [_Cell(prepared, cancel) for prepared in batch]
    try:
        if batch[0].request.mode == "fast":
            yield from loop.fast(cells)
        else:
            for cell in cells:
                yield from loop.strict(cell)
    finally:
        loop.close()


@dataclass(slots=True, eq=False)
class _Row:
    """A response that is being generated in a slot."""

    cell: _Cell
    sample: int
    slot: int
    stream: TextStream
    started: float
    token: int = 0
    draws: list[tuple[int, float, float, float, float]] = field(default_factory=list)
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
        )


class _Cell:
    """One request on its way through a decoder."""

    def __init__(self, prepared: Prepared, cancel: Cancellation) -> None:
        self.request = prepared.request
        self.ids = prepared.ids
        self.cut = prepared.cut
        self.waiting = list(prepared.request.samples)
        self._cancel = cancel
        self._left = set(prepared.request.samples)
        self._deltas: dict[int, tuple[str, int]] = {}  # sample -> (text since the last Progress, tokens so far)
        self._n_tokens = 0  # since the last Progress
        self._last_progress = 0.0

    def open_row(self, sample: int, slot: int, decoder: Decoder) -> _Row:
        row = _Row(self, sample, slot, TextStream(self.request.stops, self.request.passes), time.perf_counter())
        if self.request.schema:
            row.grammar = decoder.grammar(self.request.schema)
        if self.request.sampling.repetition_penalty != 1:
            row.seen = np.unique(np.asarray(self.ids, np.int64))
        return row

    def take(self, row: _Row, draw: Draw, i: int, decoder: Decoder) -> FinishReason | None:
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
        if row.stream.stopped:
            return "stop"
        if len(row.draws) >= self.request.sampling.max_tokens:
            return "length"
        return "cancelled" if self.is_cancelled(row.sample) else None

    def _show(self, row: _Row, text: str) -> None:
        before = self._deltas.get(row.sample, ("", 0))[0]
        self._deltas[row.sample] = (before + text, len(row.draws))

    def is_cancelled(self, sample: int) -> bool:
        return self._cancel.hit(self.request.key, sample)

    def end(self, row: _Row, reason: FinishReason) -> Iterator[Event]:
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
        yield from self._finished(_Row(self, sample, -1, TextStream(()), time.perf_counter()), "cancelled")

    def _finished(self, row: _Row, reason: FinishReason) -> Iterator[Event]:
        yield Finished(self.request.key, row.result(reason, len(self.ids)))
        self._left.discard(row.sample)
        if not self._left:
            yield Done(self.request.key)

    def progress(self, now: bool = False) -> Iterator[Event]:
        """What is new since the last Progress, if it is time."""
        clock = time.perf_counter()
        if self._deltas and (now or clock - self._last_progress >= PROGRESS_SECONDS):
            deltas = tuple(Delta(sample, text, n) for sample, (text, n) in self._deltas.items())
            yield Progress(self.request.key, deltas, self._n_tokens)
            self._deltas, self._n_tokens, self._last_progress = {}, 0, clock


class _Loop:
    """The rows of one or several requests that a decoder works on."""

    def __init__(self, decoder: Decoder, threads: int) -> None:
        self._decoder = decoder
        self._threads = threads
        self._samplers: dict[Sampling, RowSampler] = {}

    def close(self) -> None:
        for sampler in self._samplers.values():
            sampler.close()

    def prompt(self, cell: _Cell, strict: bool) -> tuple[Logits, Started]:
        """Bring a cell's prompt into the cache; the logits every one of its rows begins with."""
        start = time.perf_counter()
        first, n_cached = self._decoder.prompt(cell.ids, cell.cut, strict, cell.request.key)
        return first, Started(cell.request.key, cell.ids, n_cached, time.perf_counter() - start)

    def advance(self, rows: Sequence[_Row], logits: Sequence[Logits]) -> dict[_Row, FinishReason]:
        """Draw the next token of each row; the rows that have ended, and why."""
        ended: dict[_Row, FinishReason] = {}
        for sampling in {row.cell.request.sampling for row in rows}:
            mine = [i for i, row in enumerate(rows) if row.cell.request.sampling == sampling]
            sampler = self._samplers.get(sampling) or self._samplers.setdefault(
                sampling, self._decoder.sampler(sampling, self._threads)
            )
            uniforms = [
                uniform(row.cell.request.seed + row.sample, row.cell.request.stream, len(row.draws))
                for row in (rows[i] for i in mine)
            ]
            seen = [row.seen for row in (rows[i] for i in mine) if row.seen is not None]
            draw = sampler.draw([logits[i] for i in mine], uniforms, seen or None)
            for at, i in enumerate(mine):
                if rows[i].grammar is not None:
                    self._hold(rows[i], draw, at, logits[i], sampler)
                reason = rows[i].cell.take(rows[i], draw, at, self._decoder)
                if reason:
                    ended[rows[i]] = reason
        return ended

    def _hold(self, row: _Row, draw: Draw, at: int, logits: Logits, sampler: RowSampler) -> None:
        """Draw again where a row's grammar does not allow what was drawn.

        First the one token is asked for, as in llama.cpp's sampler, and only where it is refused the whole vocabulary.
        Without truncation the outcome has the distribution of a draw from the allowed tokens alone, because the second
        draw has a random number of its own.
        """
        grammar, refused = row.grammar, int(draw.ids[at])
        assert grammar is not None
        if not grammar.allows(refused):
            host = self._decoder.on_host(logits)
            u = uniform(row.cell.request.seed + row.sample, row.cell.request.stream, len(row.draws), draw=1)
            masked = np.where(grammar.allowed(), host, np.float32(-np.inf))
            again = sampler.draw([masked], [u], None if row.seen is None else [row.seen])
            token = int(again.ids[0])
            draw.ids[at] = token
            draw.logprob[at] += host[token] - host[refused]
            draw.sampling_logprob[at] = again.sampling_logprob[0]
            draw.sampling_entropy[at] = again.sampling_entropy[0]
        if not self._decoder.is_end(int(draw.ids[at])):
            grammar.accept(int(draw.ids[at]))

    def strict(self, cell: _Cell) -> Iterator[Event]:
        """One cell, as many rows at once as strict mode allows."""
        decoder, samples = self._decoder, cell.request.samples
        blocks = {sample // STRICT_WIDTH for sample in samples}
        shared, own = len(cell.ids), cell.request.sampling.max_tokens
        widths = decoder.strict_widths(len(samples), shared, own) if len(blocks) > 1 else ()
        if widths:
            waves = [dict(enumerate(samples[at : at + widths[-1]])) for at in range(0, len(samples), widths[-1])]
        else:
            widths = (STRICT_WIDTH,)
            waves = [{i % STRICT_WIDTH: i for i in samples if i // STRICT_WIDTH == block} for block in sorted(blocks)]
        decoder.reserve(shared, own, widths[-1])
        try:
            first, started = self.prompt(cell, strict=True)
        except Aborted:
            yield from cell.end_waiting()
            return
        yield started
        for wave in waves:
            yield from self._wave(cell, wave, widths, first)

    def _wave(self, cell: _Cell, wave: Mapping[int, int], widths: Sequence[int], first: Logits) -> Iterator[Event]:
        """The samples of a wave, by slot, in decodes of the given widths: the widest first, narrower ones as rows end.

        A slot that rests keeps its place in the cache, so that the rows that go on find theirs where they would be
        without it.
        """
        width = widths[-1]
        tokens = [0] * width
        rows = []
        for slot in range(width):
            self._decoder.fork(slot)
        for slot, sample in wave.items():
            if cell.is_cancelled(sample):
                yield from cell.end_unstarted(sample)
            else:
                rows.append(cell.open_row(sample, slot, self._decoder))
        stepping = list(range(width))
        logits = dict.fromkeys(stepping, first)
        while rows:
            ended = self.advance(rows, [logits[row.slot] for row in rows])
            for row in rows:
                tokens[row.slot] = row.token
            rows = [row for row in rows if row not in ended]
            for row, reason in ended.items():
                yield from cell.end(row, reason)
            yield from cell.progress()
            if rows:
                stepping = self._narrowed(stepping, {row.slot for row in rows}, widths)
                found = self._decoder.step(stepping, [tokens[slot] for slot in stepping])
                logits = dict(zip(stepping, found, strict=True))
        for slot in range(width):
            self._decoder.drop(slot)

    def _narrowed(self, stepping: list[int], live: set[int], widths: Sequence[int]) -> list[int]:
        """The slots of the next decode: those that live and dummies, as many as the narrowest width that holds them."""
        width = next(w for w in widths if w >= len(live))
        resting = [slot for slot in reversed(stepping) if slot not in live][: len(stepping) - width]
        for slot in resting:
            self._decoder.rest(slot)
        return [slot for slot in stepping if slot not in resting] if resting else stepping

    def fast(self, cells: Sequence[_Cell]) -> Iterator[Event]:
        """Several cells at once: a slot that is free takes the next sample, of the next cell where one is used up."""
        decoder = self._decoder
        free = deque(range(self._reserve_fast(cells)))
        pending = deque(cells)
        rows: list[_Row] = []
        logits: list[Logits] = []  # one a row
        cell, first = pending[0], None
        while True:
            while free and (pending or cell.waiting):
                if pending and (cell is pending[0] or not cell.waiting):
                    cell = pending.popleft()
                    try:
                        first, started = self.prompt(cell, strict=False)
                    except Aborted:
                        yield from cell.end_waiting()
                        continue
                    yield started
                sample = cell.waiting.pop(0)
                if cell.is_cancelled(sample):
                    yield from cell.end_unstarted(sample)
                    continue
                row = cell.open_row(sample, free.popleft(), decoder)
                decoder.fork(row.slot)
                rows.append(row)
                logits.append(first)
            if not rows:
                return
            ended = self.advance(rows, logits)
            rows = [row for row in rows if row not in ended]
            for row, reason in ended.items():
                yield from row.cell.end(row, reason)
                decoder.drop(row.slot)
                free.append(row.slot)
            for running in {row.cell for row in rows}:
                yield from running.progress()
            logits = list(decoder.step([row.slot for row in rows], [row.token for row in rows])) if rows else []

    def _reserve_fast(self, cells: Sequence[_Cell]) -> int:
        """Room for as many rows as pay, or as fit; how many that is."""
        max_tokens = max(cell.request.sampling.max_tokens for cell in cells)
        shared = max(len(cell.ids) if len(cells) == 1 else cell.cut for cell in cells)
        own = max_tokens + (0 if len(cells) == 1 else max(len(cell.ids) - cell.cut for cell in cells))
        width = min(self._decoder.fast_width, sum(len(cell.request.samples) for cell in cells))
        while True:
            try:
                self._decoder.reserve(shared, own, width)
                return width
            except EngineError:
                if width == 1:
                    raise
                width //= 2
