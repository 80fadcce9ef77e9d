"""llama.cpp through its low-level bindings: one prefill, n forks, one decode a step for all live samples.

Sequence 0 of the cache holds the prompt, the slots of the generation loop are the sequences after it. Under a long
prompt all sequences share one cache. Where the responses may be longer than the prompt each has a part of its own with
a copy of the prompt: in a shared one every row would have to pass over the tokens of all the others. Which it is, and
how the cells are laid out, is a function of the cell alone, which strict mode needs.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import llama_cpp as L
import numpy as np

from alignbench.engines.cancellation import Aborted, Cancellation
from alignbench.engines.llamacpp.adapters import GgufAdapters
from alignbench.engines.llamacpp.grammar import SchemaGrammar
from alignbench.engines.local.adapted import LoadedAdapter
from alignbench.engines.local.arrays import Floats32
from alignbench.engines.local.engine import CHUNK, LocalEngine, dependable_cut, prefill_chunks, reusable
from alignbench.engines.local.sampler import Sampler
from alignbench.engines.memory import free_bytes
from alignbench.engines.protocol import Capabilities
from alignbench.errors import EngineError
from alignbench.models.adapter import Adapter
from alignbench.spec import Sampling

CPU_FAST_WIDTH = 32
GPU_FAST_WIDTH = 64
MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ of this build

# What templates call special tokens beside BOS and EOS, and where a file says which they are.
_SPECIAL_TOKENS = {
    "unk_token": "tokenizer.ggml.unknown_token_id",
    "sep_token": "tokenizer.ggml.seperator_token_id",  # the format's own spelling
    "pad_token": "tokenizer.ggml.padding_token_id",
    "cls_token": "tokenizer.ggml.cls_token_id",
    "mask_token": "tokenizer.ggml.mask_token_id",
}

_NO_ABORT = L.ggml_abort_callback()


def system_info() -> str:
    """What llama.cpp was built for and finds on this CPU."""
    return str(L.llama_print_system_info(), "utf-8")


def features(info: str) -> list[str]:
    """Names of what is turned on in a `system_info`."""
    return re.findall(r"(\w+) = 1\b", info)


def uses_amx(info: str) -> bool:
    """Whether this build would repack weights for AMX, where llama.cpp's multi-token decode crashes (PR 26954)."""
    return "AMX_INT8" in features(info)


class LlamaCppEngine(LocalEngine):
    """A GGUF model in this process."""

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
        super().__init__(cancel, threads)
        L.llama_backend_init()
        self.path = path
        self._file_hash = file_hash
        self._gpu_layers = gpu_layers if L.llama_supports_gpu_offload() else 0
        self._gpu = self._gpu_layers != 0
        self._model = self._load(path, on_progress)
        self._vocab = L.llama_model_get_vocab(self._model)
        self.n_vocab = L.llama_vocab_n_tokens(self._vocab)
        self.n_ctx_train = L.llama_model_n_ctx_train(self._model)
        self.fast_width = GPU_FAST_WIDTH if self._gpu else CPU_FAST_WIDTH
        self._pieces: dict[int, bytes] = {}
        self._named: dict[int, bytes] = {}
        self._context: L.llama_context_p | None = None
        self._apart = False  # whether sequences of the present context have parts of their own
        self._n_cells = 0  # of the present context, or of each part
        self._n_sequences = 0
        self._cached: list[int] = []  # what sequence 0 holds
        self._cached_cut = 0  # where its prefill was cut
        self._lengths: dict[int, int] = {}  # slot -> tokens of prompt and response
        self._sequences: dict[int, int] = {}  # slot -> its sequence
        self._batch = L.llama_batch_init(CHUNK, 0, 1)
        self._adapters = GgufAdapters(self._model, path)
        self._in_use: Adapter | None = None

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

    def base_capabilities(self) -> Capabilities:
        """What the loaded model is and can do without an adapter."""
        template = self._metadata("tokenizer.chat_template")
        size = L.llama_model_size(self._model) / 2**20
        return Capabilities(
            kind="aligned" if template else "base",
            chat_template=template,
            bos=self._bos(),
            eos=self._token_text(L.llama_vocab_eos(self._vocab)),
            adds_bos=bool(L.llama_vocab_get_add_bos(self._vocab)),
            n_ctx_train=self.n_ctx_train,
            n_vocab=self.n_vocab,
            device="cuda" if self._gpu else "cpu",
            description=f"{self._describe()}, {size:.0f} MiB",
            file_hash=self._file_hash,
            special_tokens=tuple(self._special_tokens()),
            arithmetic=f"llama.cpp {L.__version__}, {' '.join(features(system_info()))}",
        )

    def _bos(self) -> str:
        """The text of the BOS; empty where the file names none: llama.cpp takes a token of GPT-2's for it then."""
        named = self._metadata("tokenizer.ggml.bos_token_id") is not None
        if not named and self._metadata("tokenizer.ggml.model") == "gpt2":
            return ""
        return self._token_text(L.llama_vocab_bos(self._vocab))

    def _special_tokens(self) -> Iterator[tuple[str, str]]:
        for name, key in _SPECIAL_TOKENS.items():
            token = self._metadata(key)
            if token is not None and token.isdecimal() and int(token) < self.n_vocab:
                yield name, self._token_text(int(token))

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

    def grammar(self, schema: str) -> SchemaGrammar:
        """A grammar of the JSON that a schema describes."""
        return SchemaGrammar(self._vocab, self.n_vocab, schema)

    def is_end(self, token: int) -> bool:
        """Whether a token ends a response."""
        return bool(L.llama_vocab_is_eog(self._vocab, token))

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token, special tokens by name."""
        if token not in self._named:
            self._named[token] = self._piece(token, special=True)
        return self._named[token]

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

    # Adapters

    def _switch(self, adapter: Adapter | None) -> LoadedAdapter | None:
        """The present context has it from now on, and so will its followers."""
        loaded = None if adapter is None else self._adapters.load(adapter)
        self._in_use = adapter
        if self._context is not None:
            self._adapters.set(self._context, adapter)
        return loaded

    def forget(self) -> None:
        """Empty the cache."""
        if self._context is not None:
            L.llama_memory_clear(self._memory, False)
        self._cached, self._lengths, self._sequences = [], {}, {}

    # The Decoder interface of the generation loop

    def sampler(self, params: Sampling, threads: int) -> Sampler:
        """The sampler over numpy rows."""
        return Sampler(params, threads)

    def on_host(self, logits: Floats32) -> Floats32:
        """They are there already."""
        return logits

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Floats32, int]:
        """Prefill `ids` into sequence 0, reusing what it holds; see decoder.Decoder."""
        n_cached = self._rewind(ids, cut, strict)
        abort = L.ggml_abort_callback(lambda _: self._cancel.whole(key)) if not self._lengths else _NO_ABORT
        L.llama_set_abort_callback(self._context, abort, None)  # on the CPU a long prefill can be cancelled
        try:
            for start, stop in prefill_chunks(len(ids), cut, n_cached):
                self._decode([(ids[at], at, 0, at == len(ids) - 1) for at in range(start, stop)])
                self._cached.extend(ids[start:stop])
        finally:
            L.llama_set_abort_callback(self._context, _NO_ABORT, None)
        self._cached_cut = dependable_cut(cut, n_cached, self._cached_cut, alone=not self._lengths)
        return self._logits(1)[0].copy(), n_cached

    def append(self, ids: Sequence[int]) -> Floats32:
        """Append tokens to sequence 0; logits after each, a view that the next decode overwrites."""
        start = len(self._cached)
        self._decode([(token, start + i, 0, True) for i, token in enumerate(ids)])
        self._cached.extend(ids)
        return self._logits(len(ids))

    def rewind(self, ids: Sequence[int]) -> bool:
        """Keep these tokens of sequence 0; see LocalEngine."""
        if self._cached[: len(ids)] != list(ids) or not L.llama_memory_seq_rm(self._memory, 0, len(ids), -1):
            return False
        del self._cached[len(ids) :]
        return True

    def fork(self, slot: int) -> None:
        """Another sequence begins with the prompt's cells, or with a copy of them."""
        taken = self._sequences.values()
        sequence = next(i for i in itertools.count(1) if i not in taken) if self._apart else slot + 1
        L.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        self._sequences[slot] = sequence
        self._lengths[slot] = len(self._cached)

    def rest(self, slot: int) -> None:
        """The cells of a shared cache stay: other rows would fill free ones, out of the order of their tokens."""
        if self._apart:
            self.drop(slot)

    def drop(self, slot: int) -> None:
        """Free the cells of a slot."""
        if self._lengths.pop(slot, None) is not None:
            L.llama_memory_seq_rm(self._memory, self._sequences.pop(slot), -1, -1)

    def drop_all(self) -> None:
        """Forget every slot."""
        for slot in list(self._lengths):
            self.drop(slot)

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Sequence[Floats32]:
        """One decode for all the slots; logits (len(slots), vocab), views that the next decode overwrites."""
        if self._apart:
            self._close_gaps()
        order = sorted(range(len(slots)), key=lambda i: self._sequences[slots[i]])
        self._decode([(tokens[i], self._lengths[slots[i]], self._sequences[slots[i]], True) for i in order])
        for slot in slots:
            self._lengths[slot] += 1
        rows = dict(zip(order, self._logits(len(slots)), strict=True))
        return [rows[i] for i in range(len(slots))]

    def _close_gaps(self) -> None:
        """Number the sequences from 1 without a gap: of those that are apart, llama.cpp decodes neighbours together."""
        slots = sorted(self._sequences, key=self._sequences.__getitem__)
        free = sorted(set(range(1, len(slots) + 1)) - set(self._sequences.values()))
        for sequence in free:
            slot = slots.pop()
            L.llama_memory_seq_cp(self._memory, self._sequences[slot], sequence, -1, -1)
            L.llama_memory_seq_rm(self._memory, self._sequences[slot], -1, -1)
            self._sequences[slot] = sequence

    def _rewind(self, ids: Sequence[int], cut: int, strict: bool) -> int:
        """Keep what sequence 0 can reuse of its content; how many tokens that is."""
        common = reusable(self._cached, self._cached_cut, ids, cut, strict)
        if not L.llama_memory_seq_rm(self._memory, 0, common, -1):
            # A memory that cannot rewind to this point (recurrent state, pruned window) begins anew.
            common = 0
            L.llama_memory_seq_rm(self._memory, 0, -1, -1)
        del self._cached[common:]
        return common

    def apart(self, shared: int, own: int) -> bool:
        """Sequences share a cache unless parts of their own take at most about twice its room."""
        return shared <= own

    def reserve(self, shared: int, own: int, width: int) -> None:
        """Make sure the context has room; a violated limit inside llama.cpp would abort the process."""
        apart = self.apart(shared, own)
        cells = -(-(shared + own if apart else shared + (width + 1) * own) // 256) * 256
        sequences = min(width + 1, MAX_SEQUENCES)
        if (
            self._context is not None
            and apart == self._apart
            and cells <= self._n_cells
            and sequences <= self._n_sequences
        ):
            return
        in_all = cells * sequences if apart else cells
        self._check_memory(in_all)
        if self._context is not None:
            L.llama_free(self._context)
            self._context = None
        self._cached, self._lengths, self._sequences = [], {}, {}
        params = L.llama_context_default_params()
        params.n_ctx = in_all
        params.n_batch = params.n_ubatch = CHUNK
        params.n_seq_max = sequences
        params.kv_unified = not apart
        params.swa_full = True  # a pruned sliding window could not be forked or rewound
        params.n_threads = params.n_threads_batch = self.threads
        params.no_perf = True
        context = L.llama_init_from_model(self._model, params)
        if not context:
            raise EngineError(
                f"llama.cpp could not make a context of {in_all} tokens for {width} responses at once; about "
                f"{self._cache_bytes(in_all) / 2**20:.0f} MiB were needed. Lower max_tokens."
            )
        self._apart, self._n_cells, self._n_sequences = apart, cells, sequences
        self._context = context
        self._memory = L.llama_get_memory(context)
        if self._in_use is not None:
            self._adapters.set(context, self._in_use)

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
        self.forget()
        if status == 2:
            raise Aborted
        reason = {1: "its cache is full", -1: "the batch is invalid"}.get(status, f"status {status}")
        raise EngineError(f"llama.cpp could not decode {len(rows)} tokens: {reason}; the worker's log may say more.")

    def _logits(self, n: int) -> Floats32:
        return np.ctypeslib.as_array(L.llama_get_logits(self._context), shape=(n, self.n_vocab))
