"""The generation loop of the local engines: which rows to decode, what to draw, when to stop, what to report.

It works on a `decoder.Decoder`, the few things a local engine has to offer, so that llama.cpp and transformers share
every rule about seeds, stops, cancelling and the two modes:

strict: every decode carries exactly 8 rows. Sample i sits in row i % 8 of block i // 8; rows that are not asked for,
    finished or cancelled decode a dummy. The text of a sample is then a function of its cell and its seed alone, on
    the same build and device. Other widths and places are used only where `strict_width` found that they change no
    logit; a sample that is the only one its cell will ever have decodes alone, today and in every replay.
fast: as many rows as pay, refilled when samples finish. No promise of replay.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from alignbench.engines.cancellation import Aborted, Cancellation
from alignbench.engines.local.decoder import Decoder, Logits, RowSampler
from alignbench.engines.local.rows import DecodingCell, DecodingRow, TokenizedRequest
from alignbench.engines.local.sampler import DrawnTokens, uniform
from alignbench.engines.protocol import Event, FinishReason, Started
from alignbench.errors import EngineError
from alignbench.spec import Sampling

STRICT_WIDTH = 8


def generate(
    decoder: Decoder, batch: Sequence[TokenizedRequest], threads: int, cancel: Cancellation
) -> Iterator[Event]:
    """Draw the samples of requests of one mode: for each Started, TextDeltas and Finished events, then Done.

    Strict requests run one after the other, fast ones together. Raises EngineError.

    Args:
        decoder: the model
        batch: the requests
        threads: of the sampler
        cancel: says which samples are not wanted any more
    """
    loop = _Loop(decoder, threads)
    cells = [DecodingCell(prepared, cancel) for prepared in batch]
    try:
        if batch[0].request.mode == "fast":
            yield from loop.fast(cells)
        else:
            for cell in cells:
                yield from loop.strict(cell)
    finally:
        loop.close()


class _Loop:
    """The rows of one or several requests that a decoder works on."""

    def __init__(self, decoder: Decoder, threads: int) -> None:
        self._decoder = decoder
        self._threads = threads
        self._samplers: dict[Sampling, RowSampler] = {}

    def close(self) -> None:
        for sampler in self._samplers.values():
            sampler.close()

    def prompt(self, cell: DecodingCell, strict: bool) -> tuple[Logits, Started]:
        """Bring a cell's prompt into the cache; the logits every one of its rows begins with."""
        start = time.perf_counter()
        first, n_cached = self._decoder.prompt(cell.ids, cell.cut, strict, cell.request.key)
        return first, Started(cell.request.key, cell.ids, n_cached, time.perf_counter() - start)

    def advance(self, rows: Sequence[DecodingRow], logits: Sequence[Logits]) -> dict[DecodingRow, FinishReason]:
        """Draw the next token of each row; the rows that have ended, and why."""
        ended: dict[DecodingRow, FinishReason] = {}
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

    def _hold(self, row: DecodingRow, draw: DrawnTokens, at: int, logits: Logits, sampler: RowSampler) -> None:
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

    def strict(self, cell: DecodingCell) -> Iterator[Event]:
        """One cell, as many rows at once as strict mode allows."""
        decoder, samples = self._decoder, cell.request.samples
        blocks = {sample // STRICT_WIDTH for sample in samples}
        shared, own = len(cell.ids), cell.request.sampling.max_tokens
        widths = decoder.strict_widths(len(samples), shared, own) if len(blocks) > 1 else ()
        if cell.request.alone:
            (sample,) = samples
            widths, waves = (1,), [{0: sample}]
        elif widths:
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

    def _wave(
        self, cell: DecodingCell, wave: Mapping[int, int], widths: Sequence[int], first: Logits
    ) -> Iterator[Event]:
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
                new_logits = self._decoder.step(stepping, [tokens[slot] for slot in stepping])
                logits = dict(zip(stepping, new_logits, strict=True))
        for slot in range(width):
            self._decoder.drop(slot)

    def _narrowed(self, stepping: list[int], live: set[int], widths: Sequence[int]) -> list[int]:
        """The slots of the next decode: those that live and dummies, as many as the narrowest width that holds them."""
        width = next(w for w in widths if w >= len(live))
        resting = [slot for slot in reversed(stepping) if slot not in live][: len(stepping) - width]
        for slot in resting:
            self._decoder.rest(slot)
        return [slot for slot in stepping if slot not in resting] if resting else stepping

    def fast(self, cells: Sequence[DecodingCell]) -> Iterator[Event]:
        """Several cells at once: a slot that is free takes the next sample, of the next cell where one is used up."""
        decoder = self._decoder
        free = deque(range(self._reserve_fast(cells)))
        pending = deque(cells)
        rows: list[DecodingRow] = []
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

    def _reserve_fast(self, cells: Sequence[DecodingCell]) -> int:
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
