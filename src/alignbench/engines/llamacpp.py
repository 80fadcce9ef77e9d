"""llama.cpp through its low-level bindings: one prefill, n forks, one decode a step for all live samples.

Sequence 0 of the cache holds the prompt; slot i of the generation loop is sequence i + 1. The cells of the cache are
laid out as a function of the cell alone (context, query, then the rows of each step), which strict mode needs.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import llama_cpp as L
import numpy as np
from numpy.typing import NDArray

from alignbench.engines import teacherforcing
from alignbench.engines.generation import Aborted, Cancellation, Prepared, generate
from alignbench.engines.memory import free_bytes
from alignbench.engines.protocol import Capabilities, Event, Failed, SampleRequest, Scored, ScoreRequest
from alignbench.engines.strictwidth import widest_blocks
from alignbench.engines.teacherforcing import continuation_start, score_tokens
from alignbench.errors import EngineError

CHUNK = 512  # tokens of a prompt per decode, counted from the start and again from the end of the context part
CPU_FAST_WIDTH = 32
GPU_FAST_WIDTH = 64
MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ of this build

_NO_ABORT = L.ggml_abort_callback()

_PROBE = "A probe of many different words: rivers, seven clocks, an old violin, salt, Tuesday, 1984, and why?"

Floats = NDArray[np.float32]


def system_info() -> str:
    """What llama.cpp was built for and finds on this CPU."""
    return str(L.llama_print_system_info(), "utf-8")


def uses_amx(info: str) -> bool:
    """Whether this build would repack weights for AMX, where llama.cpp's multi-token decode crashes (PR 26954)."""
    return "AMX_INT8 = 1" in info


class LlamaCppEngine:
    """A GGUF model in this process. Not thread-safe but for `threads`, which may be set at any time."""

    def __init__(
        self,
        path: Path,
        cancel: Cancellation,
        *,
        threads: int,
        gpu_layers: int = -1,
        file_hash: str = "",
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        L.llama_backend_init()
        self.path = path
        self.threads = threads
        self._cancel = cancel
        self._file_hash = file_hash
        self._gpu_layers = gpu_layers if L.llama_supports_gpu_offload() else 0
        self._gpu = self._gpu_layers != 0
        self._model = self._load(path, on_progress)
        self._vocab = L.llama_model_get_vocab(self._model)
        self.n_vocab = L.llama_vocab_n_tokens(self._vocab)
        self.n_ctx_train = L.llama_model_n_ctx_train(self._model)
        self.fast_width = GPU_FAST_WIDTH if self._gpu else CPU_FAST_WIDTH
        self._pieces: dict[int, bytes] = {}
        self._context: L.llama_context_p | None = None
        self._n_cells = 0  # of the present context
        self._n_sequences = 0
        self._cached: list[int] = []  # what sequence 0 holds
        self._cached_cut = 0  # where its prefill was cut
        self._lengths: dict[int, int] = {}  # slot -> tokens of prompt and response
        self._strict_blocks = 0  # not probed yet
        self._batch = L.llama_batch_init(CHUNK, 0, 1)

    def _load(self, path: Path, on_progress: Callable[[float], None]) -> L.llama_model_p:
        last = [0.0]

        @L.llama_progress_callback  # type: ignore[untyped-decorator]
        def progress(fraction: float, _: object) -> bool:
            if fraction - last[0] >= 0.02:
                last[0] = fraction
                on_progress(fraction)
            return True

        params = L.llama_model_default_params()
        params.n_gpu_layers = self._gpu_layers
        params.use_extra_bufts = not uses_amx(system_info())
        params.progress_callback = progress
        model = L.llama_model_load_from_file(os.fsencode(path), params)
        if not model:
            raise EngineError(f"{path}: llama.cpp could not load this file; the worker's log says why.")
        return model

    def close(self) -> None:
        """Free the context and the model."""
        if self._context is not None:
            L.llama_free(self._context)
            self._context = None
        L.llama_batch_free(self._batch)
        L.llama_model_free(self._model)

    # What the model is

    def capabilities(self) -> Capabilities:
        """Of the loaded model."""
        template = self._metadata("tokenizer.chat_template")
        size = L.llama_model_size(self._model) / 2**20
        return Capabilities(
            kind="aligned" if template else "base",
            chat_template=template,
            bos=self._token_text(L.llama_vocab_bos(self._vocab)),
            eos=self._token_text(L.llama_vocab_eos(self._vocab)),
            adds_bos=bool(L.llama_vocab_get_add_bos(self._vocab)),
            n_ctx_train=self.n_ctx_train,
            n_vocab=self.n_vocab,
            device="cuda" if self._gpu else "cpu",
            description=f"{self._describe()}, {size:.0f} MiB",
            file_hash=self._file_hash,
        )

    def _describe(self) -> str:
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    def _metadata(self, key: str) -> str | None:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = L.llama_model_meta_val_str(self._model, key.encode(), buffer, size)
            if length < 0:
                return None
            if length < size:
                return buffer.value.decode(errors="replace")
            size = length + 1

    def _token_text(self, token: int) -> str:
        return L.llama_vocab_get_text(self._vocab, token).decode(errors="replace") if token >= 0 else ""

    # Tokens

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a rendered prompt, special tokens parsed, with exactly one BOS where the model wants one."""
        bos = L.llama_vocab_bos(self._vocab)
        wants_bos = bool(L.llama_vocab_get_add_bos(self._vocab))
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            buffer = (L.llama_token * size)()
            n = L.llama_tokenize(self._vocab, data, len(data), buffer, size, False, True)
            if n >= 0:
                break
            size = -n
        ids = list(buffer[:n])
        if wants_bos and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids

    def tokenize_parts(self, context: str, query: str) -> tuple[list[int], int]:
        """Ids of context + query as one text, and how many of them the context alone decides.

        The cut is the length of the common prefix of the ids of the whole and of the context by itself, so it is a
        function of this prompt only.
        """
        ids = self.tokenize(context + query)
        alone = self.tokenize(context)
        cut = 0
        while cut < min(len(alone), len(ids) - 1) and alone[cut] == ids[cut]:
            cut += 1
        return ids, cut

    def is_end(self, token: int) -> bool:
        """Whether a token ends a response."""
        return bool(L.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for special tokens."""
        if token not in self._pieces:
            self._pieces[token] = self._piece(token, special=False)
        return self._pieces[token]

    def _piece(self, token: int, special: bool) -> bytes:
        size = 32
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = L.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return bytes(buffer.raw[:length])
            size = -length

    # Sampling

    def sample(self, requests: Sequence[SampleRequest]) -> Iterator[Event]:
        """Carry out requests of one mode; those that cannot fit fail alone. See generation.generate for the events."""
        batch = []
        for request in requests:
            ids, cut = self.tokenize_parts(request.context, request.query)
            try:
                self._check_window(len(ids), request.sampling.max_tokens)
            except EngineError as error:
                yield Failed(request.key, str(error))
            else:
                batch.append(Prepared(request, tuple(ids), cut))
        try:
            if batch:
                yield from generate(self, batch, self.threads, self._cancel)
        finally:
            for slot in list(self._lengths):
                self.drop(slot)

    def score(self, request: ScoreRequest) -> Scored:
        """Teacher forcing, in chunks of positions; see protocol.ScoreRequest."""
        prompt_ids = self.tokenize(request.context + request.query)
        ids = self.tokenize(request.context + request.query + request.continuation)
        start = continuation_start(prompt_ids, ids)
        self._check_window(len(ids), 0)
        self.reserve(len(ids), 1)
        cut = min(len(self.tokenize(request.context)), start - 1)
        return score_tokens(
            request,
            ids[start:],
            start,
            self._forced_logits(ids, start, cut, request.key),
            lambda token: self._piece(token, special=True).decode(errors="replace"),
        )

    def _forced_logits(self, ids: Sequence[int], start: int, cut: int, key: int) -> Iterator[Floats]:
        """The rows of logits that predict ids[start:]."""
        if start < len(ids):
            first, _ = self.prompt(ids[:start], cut, True, key)
            yield first[None]
        for at in range(start, len(ids) - 1, teacherforcing.CHUNK):
            stop = min(at + teacherforcing.CHUNK, len(ids) - 1)
            self._decode([(ids[i], i, 0, True) for i in range(at, stop)])
            self._cached.extend(ids[at:stop])
            yield self._logits(stop - at)

    # The Decoder interface of the generation loop

    def strict_blocks(self) -> int:
        """Blocks of 8 rows that may share a decode; probed once on these weights and this device."""
        if not self._strict_blocks:
            self._strict_blocks = widest_blocks(self, self.tokenize(_PROBE))
        return self._strict_blocks

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Floats, int]:
        """Prefill `ids` into sequence 0, reusing what it holds; see generation.Decoder."""
        n_cached = self._rewind(ids, cut, strict)
        abort = L.ggml_abort_callback(lambda _: self._cancel.whole(key)) if not self._lengths else _NO_ABORT
        L.llama_set_abort_callback(self._context, abort, None)  # on the CPU a long prefill can be cancelled
        edges = [*range(0, cut, CHUNK), *range(cut, len(ids), CHUNK), len(ids)]
        for start, stop in pairwise(edges):
            start = max(start, n_cached)
            if start < stop:
                self._decode([(ids[at], at, 0, at == len(ids) - 1) for at in range(start, stop)])
                self._cached.extend(ids[start:stop])
        L.llama_set_abort_callback(self._context, _NO_ABORT, None)
        self._cached_cut = cut
        return self._logits(1)[0], n_cached

    def fork(self, slot: int) -> None:
        """Slot i, sequence i + 1, shares the prompt's cells."""
        L.llama_memory_seq_cp(self._memory, 0, slot + 1, -1, -1)
        self._lengths[slot] = len(self._cached)

    def drop(self, slot: int) -> None:
        """Free the cells of a slot."""
        if self._lengths.pop(slot, None) is not None:
            L.llama_memory_seq_rm(self._memory, slot + 1, -1, -1)

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Floats:
        """One decode for all the slots; logits (len(slots), vocab), a view that the next decode overwrites."""
        self._decode([(token, self._lengths[slot], slot + 1, True) for slot, token in zip(slots, tokens, strict=True)])
        for slot in slots:
            self._lengths[slot] += 1
        return self._logits(len(slots))

    def _rewind(self, ids: Sequence[int], cut: int, strict: bool) -> int:
        """Keep what sequence 0 can reuse of its content; how many tokens that is.

        Strict mode reuses a context only if it is the same to the last token and was prefilled with the same cut;
        fast mode any common prefix. The last token is always decoded, for its logits.
        """
        common = 0
        while common < min(len(self._cached), len(ids) - 1) and self._cached[common] == ids[common]:
            common += 1
        if strict:
            common = cut if common >= cut and self._cached_cut == cut else 0
        if not L.llama_memory_seq_rm(self._memory, 0, common, -1):
            # A memory that cannot rewind to this point (recurrent state, pruned window) begins anew.
            common = 0
            L.llama_memory_seq_rm(self._memory, 0, -1, -1)
        del self._cached[common:]
        return common

    def _check_window(self, n_prompt: int, max_tokens: int) -> None:
        """Refuse, with the numbers, what is longer than the model's context window."""
        longest = n_prompt + max_tokens
        if not n_prompt:
            raise EngineError("The prompt has no tokens.")
        if 0 < self.n_ctx_train < longest:
            raise EngineError(
                f"The prompt has {n_prompt} tokens and the response may have {max_tokens}: {longest} together, "
                f"but the model's context window is {self.n_ctx_train}. Shorten the prompt or lower max_tokens."
            )

    def reserve(self, cells: int, width: int) -> None:
        """Make sure the context has room; a violated limit inside llama.cpp would abort the process."""
        cells = -(-cells // 256) * 256
        sequences = min(width + 1, MAX_SEQUENCES)
        if self._context is not None and cells <= self._n_cells and sequences <= self._n_sequences:
            return
        self._check_memory(cells)
        if self._context is not None:
            L.llama_free(self._context)
            self._context = None
        self._cached, self._lengths = [], {}
        params = L.llama_context_default_params()
        params.n_ctx = self._n_cells = cells
        params.n_batch = params.n_ubatch = CHUNK
        params.n_seq_max = self._n_sequences = max(sequences, self._n_sequences)
        params.kv_unified = True  # without it n_ctx is divided by n_seq_max, and a fork of a part aborts
        params.swa_full = True  # a pruned sliding window could not be forked or rewound
        params.n_threads = params.n_threads_batch = self.threads
        params.no_perf = True
        context = L.llama_init_from_model(self._model, params)
        if not context:
            raise EngineError(
                f"llama.cpp could not make a context of {cells} tokens for {width} responses at once; about "
                f"{self._cache_bytes(cells) / 2**20:.0f} MiB were needed. Lower max_tokens."
            )
        self._context = context
        self._memory = L.llama_get_memory(context)

    def _cache_bytes(self, cells: int) -> int:
        """Size of the key-value cache in bytes: two f16 vectors a layer and cell."""
        heads = max(1, L.llama_model_n_head(self._model))
        per_head = L.llama_model_n_embd(self._model) // heads
        architecture = self._metadata("general.architecture") or ""
        width = int(self._metadata(f"{architecture}.attention.key_length") or per_head)
        vectors = int(L.llama_model_n_layer(self._model)) * int(L.llama_model_n_head_kv(self._model)) * 2
        return cells * vectors * width * 2

    def _check_memory(self, cells: int) -> None:
        needed, available = self._cache_bytes(cells), free_bytes("cpu")
        if not self._gpu and needed > available:
            raise EngineError(
                f"The request needs a cache of {cells} tokens, {needed / 2**20:.0f} MiB, but only "
                f"{available / 2**20:.0f} MiB of memory are free. Lower max_tokens."
            )

    def _decode(self, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        """Decode (token, position, sequence, wants logits) rows in one batch."""
        assert self._context is not None
        assert len(rows) <= CHUNK
        batch = self._batch
        for i, (token, position, sequence, wants_logits) in enumerate(rows):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = wants_logits
        batch.n_tokens = len(rows)
        L.llama_set_n_threads(self._context, self.threads, self.threads)
        status = L.llama_decode(self._context, batch)
        if status == 0:
            return
        L.llama_memory_clear(self._memory, False)
        self._cached, self._lengths = [], {}
        if status == 2:
            raise Aborted
        reason = {1: "its cache is full", -1: "the batch is invalid"}.get(status, f"status {status}")
        raise EngineError(f"llama.cpp could not decode {len(rows)} tokens: {reason}; the worker's log may say more.")

    def _logits(self, n: int) -> Floats:
        return np.ctypeslib.as_array(L.llama_get_logits(self._context), shape=(n, self.n_vocab))
