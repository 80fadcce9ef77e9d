"""The transformers engine: one prefill, rows that share it, one forward a step for all live samples.

`generate()` is not used, so nothing of a model's generation_config takes part in sampling; of it, only the end tokens
are read. On a GPU the sampler works there too (local.torch_sampler), and a step brings n ids to the host, not n x vocab
logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from alignbench.engines.cancellation import Aborted, Cancellation
from alignbench.engines.hf.adapters import PeftAdapters
from alignbench.engines.hf.batch_cache import BatchCache
from alignbench.engines.hf.loading import load, memory_free
from alignbench.engines.hf.shared_prefix_cache import SharedPrefixCache
from alignbench.engines.hf.tokenizer import Tokens
from alignbench.engines.local.adapted import LoadedAdapter
from alignbench.engines.local.arrays import Floats32
from alignbench.engines.local.decoder import RowSampler
from alignbench.engines.local.engine import LocalEngine, dependable_cut, prefill_chunks, reusable
from alignbench.engines.local.sampler import Sampler
from alignbench.engines.local.torch_sampler import TorchSampler
from alignbench.engines.protocol import Capabilities
from alignbench.errors import EngineError
from alignbench.models.adapter import Adapter
from alignbench.models.hf_source import parse_source
from alignbench.models.reference import parse_reference
from alignbench.spec import Model, Sampling

CPU_FAST_WIDTH = 32
GPU_FAST_WIDTH = 128


class TransformersEngine(LocalEngine):
    """A causal language model of transformers in this process."""

    def __init__(
        self,
        model: Model,
        cancel: Cancellation,
        *,
        threads: int,
        on_progress: Callable[..., None] = lambda *_: None,
    ) -> None:
        """Load a `hf:` model. Raises EngineError or InputError."""
        super().__init__(cancel, threads)
        torch.set_num_threads(threads)
        self._source = parse_source(parse_reference(model.reference).target)
        loaded = load(self._source, model.options, on_progress)
        self._model, self._device, self._file_hash = loaded.model, loaded.device, loaded.file_hash
        self._config = self._model.config.get_text_config()
        self._n_parameters = sum(parameter.numel() for parameter in self._model.parameters())
        self._adapters = PeftAdapters(self._model)
        gguf = self._source.weights()[0] if self._source.gguf_file else None
        self._tokens = Tokens(loaded.tokenizer, _end_ids(self._model), gguf, loaded.user_defined)
        self.n_vocab = int(self._model.get_input_embeddings().weight.shape[0])
        self.n_ctx_train = int(getattr(self._config, "max_position_embeddings", 0) or 0)
        self.fast_width = CPU_FAST_WIDTH if self._on_cpu else GPU_FAST_WIDTH
        self._cached: list[int] = []  # what the trunk holds
        self._cached_cut = 0  # where its prefill was cut
        self._slots: set[int] = set()
        self._asked = ""  # what the running request needs, for the message when memory runs out
        self._rows = self._pick_cache()
        on_progress(1.0)

    @property
    def _on_cpu(self) -> bool:
        return bool(self._device.type == "cpu")

    def _pick_cache(self) -> SharedPrefixCache | BatchCache:
        """Rows that share their prompt, where that gives what a batch of copies gives."""
        plain = BatchCache(self._model)
        if not SharedPrefixCache.supports(self._model):
            return plain
        shared = SharedPrefixCache(self._model)
        ids = self.tokenize("One two three, four five six.")[:8]
        try:
            with torch.inference_mode():
                expected, computed = (_probe(cache, ids) for cache in (plain, shared))
        except (NotImplementedError, TypeError, ValueError, RuntimeError) as error:
            print(f"attention with a shared prompt is not possible ({error}); prompts are copied", flush=True)
            return plain
        finally:
            plain.clear()
            shared.clear()
        tolerance = 1e-3 if self._model.dtype == torch.float32 else 0.1
        difference = float((expected - computed).abs().max() / expected.abs().max())
        if difference > tolerance:
            print(f"attention with a shared prompt is off by {difference:.1e}; prompts are copied", flush=True)
            return plain
        return shared

    # What the model is

    def base_capabilities(self) -> Capabilities:
        """What the loaded model is and can do without an adapter."""
        template = self._tokens.chat_template
        size = f"{self._n_parameters / 1e6:.0f}M"
        return Capabilities(
            kind="aligned" if template else "base",
            chat_template=template,
            bos=self._tokens.bos,
            eos=self._tokens.eos,
            adds_bos=self._tokens.adds_bos,
            n_ctx_train=self.n_ctx_train,
            n_vocab=self.n_vocab,
            device=self._device.type,
            description=f"{self._config.model_type}, {size}, {str(self._model.dtype).removeprefix('torch.')}",
            file_hash=self._file_hash,
            special_tokens=self._tokens.special,
            arithmetic=f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}",
        )

    def _switch(self, adapter: Adapter | None) -> LoadedAdapter | None:
        """PEFT turns its layers on and off."""
        loaded = None if adapter is None else self._adapters.load(adapter)
        self._adapters.set(adapter)
        return loaded

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a rendered prompt; see LocalEngine."""
        return self._tokens.encode(text)

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token, special tokens by name."""
        return self._tokens.named(token)

    def is_end(self, token: int) -> bool:
        """Whether a token ends a response."""
        return self._tokens.is_end(token)

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for special tokens."""
        return self._tokens.piece(token)

    # The Decoder interface of the generation loop

    def sampler(self, params: Sampling, threads: int) -> RowSampler:
        """A sampler that works where the logits are."""
        return Sampler(params, threads) if self._on_cpu else TorchSampler(params)

    def apart(self, shared: int, own: int) -> bool:  # noqa: ARG002
        """One kind of cache whatever is reserved."""
        return False

    def reserve(self, shared: int, own: int, width: int) -> None:
        """Refuse, with the numbers, what the memory would not hold."""
        n_tokens = (
            shared + (width + 1) * own if isinstance(self._rows, SharedPrefixCache) else (shared + own) * (width + 1)
        )
        needed, free = n_tokens * self._bytes_per_token(), memory_free(self._device)
        self._asked = f"a cache of {n_tokens} tokens for {width} responses at once, {needed / 2**20:.0f} MiB"
        if needed > free:
            raise EngineError(
                f"The request needs {self._asked}, but only {free / 2**20:.0f} MiB of {self._device.type} memory are "
                "free. Lower max_tokens."
            )

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Any, int]:
        """Prefill `ids`, reusing what is there; see decoder.Decoder."""
        with self._computing():
            n_cached = self._rows.rewind(reusable(self._cached, self._cached_cut, ids, cut, strict))
            del self._cached[n_cached:]
            self._cached_cut = dependable_cut(cut, n_cached, self._cached_cut, alone=not self._slots)
            logits = None
            for start, stop in prefill_chunks(len(ids), cut, n_cached):
                if not self._slots and self._cancel.whole(key):
                    raise Aborted
                logits = self._rows.extend(ids[start:stop], 1)
                self._cached.extend(ids[start:stop])
            assert logits is not None  # the last token is never cached
            return self._given(logits)[0], n_cached

    def append(self, ids: Sequence[int]) -> Floats32:
        """Append tokens to the prompt; logits after each."""
        with self._computing():
            logits = self._rows.extend(ids, len(ids))
            self._cached.extend(ids)
            return self.on_host(logits)

    def rewind(self, ids: Sequence[int]) -> bool:
        """Keep these tokens of the trunk; see LocalEngine."""
        if self._cached[: len(ids)] != list(ids):
            return False
        with self._computing():
            kept = self._rows.rewind(len(ids))
            del self._cached[kept:]
        return kept == len(ids)

    def fork(self, slot: int) -> None:
        """Let a slot continue the prompt."""
        with self._computing():
            self._rows.fork(slot)
            self._slots.add(slot)

    def rest(self, slot: int) -> None:
        """Nothing of other rows depends on where a slot was."""
        self.drop(slot)

    def drop(self, slot: int) -> None:
        """Forget what a slot generated."""
        if slot in self._slots:
            self._slots.remove(slot)
            with self._computing():
                self._rows.drop(slot)

    def drop_all(self) -> None:
        """Forget every slot."""
        for slot in list(self._slots):
            self.drop(slot)

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Any:
        """One forward for all the slots; logits (len(slots), vocab), on a GPU a tensor there."""
        with self._computing():
            return self._given(self._rows.step(slots, tokens))

    def on_host(self, logits: Any) -> Floats32:
        """Logits as a numpy array; on a CPU without a copy where they are float32."""
        if isinstance(logits, Tensor):
            logits = logits.float().cpu().numpy()
        array: Floats32 = logits
        return array

    def _given(self, logits: Tensor) -> Any:
        return self.on_host(logits) if self._on_cpu else logits.float()

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Runs torch; when memory runs out, frees what can be freed, says what was asked for, and is usable again."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                yield
        except torch.OutOfMemoryError as error:
            self.forget()
            raise EngineError(
                f"Out of {self._device.type} memory: the request needed {self._asked}, beside weights of "
                f"{self._model.get_memory_footprint() / 2**20:.0f} MiB; {memory_free(self._device) / 2**20:.0f} MiB "
                f"are free now. Lower max_tokens or shorten the prompt. ({str(error).splitlines()[0]})"
            ) from None
        except BaseException:
            if self._rows.length != len(self._cached):  # it failed halfway
                self.forget()
            raise

    def forget(self) -> None:
        """Empty the cache."""
        self._rows.clear()
        self._cached, self._slots = [], set()
        if not self._on_cpu:
            torch.cuda.empty_cache()

    def _bytes_per_token(self) -> int:
        """Keys and values of one token in all layers; 0 for a model without attention."""
        config = self._config
        heads = int(getattr(config, "num_attention_heads", 0) or 0)
        if not heads:
            return 0
        size = int(getattr(config, "head_dim", 0) or config.hidden_size // heads)
        n = config.num_hidden_layers * int(getattr(config, "num_key_value_heads", 0) or heads) * size * 2
        return int(n * self._model.dtype.itemsize)


def _probe(cache: SharedPrefixCache | BatchCache, ids: Sequence[int]) -> Tensor:
    """Logits of two rows after a prompt and two different continuations."""
    cache.extend(ids, 1)
    cache.fork(0)
    cache.fork(1)
    cache.step((0, 1), (ids[1], ids[2]))
    return cache.step((0, 1), (ids[3], ids[4])).float()


def _end_ids(model: Any) -> set[int]:
    """What configuration and generation configuration name as EOS: Llama 3 has its end of turn only there."""
    ids: set[int] = set()
    for config in (model.config.get_text_config(), model.generation_config):
        eos = getattr(config, "eos_token_id", None)
        ids |= set(eos) if isinstance(eos, list | tuple) else {eos} if eos is not None else set()
    return ids
