"""A key-value cache in which the rows of a batch share one copy of their prompt.

The prompt is the trunk, a sequence of its own. A row is the trunk's first `shared` tokens, which are never copied, and
its own tokens: what it generated and, once the trunk has turned to another prompt, what of its prompt the two have
not in common. A step attends to the trunk once for all rows and to each row's own tokens, under one softmax. It costs
the memory traffic of one prompt where a batch of copies costs that of n, and a fork costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin

ATTENTION = "alignbench_rows"  # name of the attention of a step
GRANULE = 64  # caches grow to multiples of this many tokens


class SharedPrefixCache:
    """The trunk and rows of a model whose layers are all of causal attention, with or without a sliding window."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._attention = model.config._attn_implementation
        self._device = model.get_input_embeddings().weight.device
        self._clear()

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether the model's attention can be replaced and its layers keep nothing but keys and values."""
        config = model.config.get_text_config()
        types = set(getattr(config, "layer_types", None) or ["full_attention"])
        return (
            bool(getattr(model, "_supports_attention_backend", False))
            and model.config._attn_implementation != "eager"
            and types <= {"full_attention", "sliding_attention"}
        )

    @property
    def length(self) -> int:
        """Tokens of the trunk."""
        return self._length

    def _clear(self) -> None:
        config = self._model.config.get_text_config()
        self._layers = [_Layer(self) for _ in range(config.num_hidden_layers)]
        self._cache = Cache(layers=self._layers)
        self._length = 0
        self._slots: list[int] = []  # slot of each row
        self._own: list[int] = []  # own tokens of each row
        self._shared = 0  # tokens of the trunk that the rows share
        self.step_now: _LayerStep | None = None

    clear = _clear

    def rewind(self, length: int) -> int:
        """Keep the first `length` tokens of the trunk; how many could be kept (here: all of them)."""
        if self._slots and length < self._shared:
            for layer in self._layers:
                layer.unshare(length, self._shared, len(self._slots), max(self._own))
            self._own = [own + self._shared - length for own in self._own]
            self._shared = length
        self._length = length
        return length

    def extend(self, ids: Sequence[int], n_logits: int) -> Tensor:
        """Append tokens to the trunk; logits (n_logits, vocab) after the last n_logits of them."""
        stop = self._length + len(ids)
        output = self._model(
            input_ids=torch.tensor([ids], device=self._device),
            position_ids=torch.arange(self._length, stop, device=self._device)[None],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=n_logits,
        )
        self._length = stop
        logits: Tensor = output.logits[0]
        return logits

    def fork(self, slot: int) -> None:
        """Let a slot continue the trunk."""
        if not self._slots:
            self._shared = self._length
        for layer in self._layers:
            layer.copy_own(self._shared, self._length, len(self._slots))
        self._slots.append(slot)
        self._own.append(self._length - self._shared)

    def drop(self, slot: int) -> None:
        """Forget a slot; the last row takes its place."""
        if slot not in self._slots:
            return
        row, last = self._slots.index(slot), len(self._slots) - 1
        if row != last:
            for layer in self._layers if self._own[last] else ():
                layer.move(last, row, self._own[last])
        self._slots[row], self._own[row] = self._slots[last], self._own[last]
        del self._slots[last], self._own[last]
        if not self._slots:
            for layer in self._layers:
                layer.free_own()

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to each slot, which must be all there are; logits (len(slots), vocab) in their order."""
        order = [slots.index(slot) for slot in self._slots]
        ids = torch.tensor([[tokens[i]] for i in order], device=self._device)
        self.step_now = _LayerStep(self._own, self._shared, self._device)
        with self._attention_of_rows():
            output = self._model(
                input_ids=ids,
                position_ids=self.step_now.positions[:, None],
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self._own = [own + 1 for own in self._own]
        logits: Tensor = output.logits[:, -1]
        if order != sorted(order):
            logits = logits[torch.tensor(order, device=logits.device).argsort()]
        return logits

    @contextmanager
    def _attention_of_rows(self) -> Iterator[None]:
        # A name that no mask function is registered for: the model then makes no mask of its own.
        self._model.config._attn_implementation = ATTENTION
        try:
            yield
        finally:
            self._model.config._attn_implementation = self._attention
            self.step_now = None


class _LayerStep:
    """What the layers of one step have in common. own: own tokens of each row before it."""

    def __init__(self, own: Sequence[int], shared: int, device: torch.device) -> None:
        self.shared = shared
        self.width = max(own) + 1  # own tokens of the longest row, with the new one
        self.n = len(own)
        self._even = min(own) == max(own)
        self._shortest = min(own)
        self.own = torch.tensor(own, device=device)
        self.positions = self.own + shared
        self.rows = torch.arange(self.n, device=device)
        self._masks: dict[int | None, tuple[int, int, Tensor | None]] = {}

    def window(self, size: int | None) -> tuple[int, int, Tensor | None]:
        """The first shared and the first own token that any row may see, and which of them each row may see.

        The mask is (n, shared seen + own seen), None where every row sees them all.
        """
        if size not in self._masks:
            first = 0 if size is None else max(0, self.shared + self._shortest - size + 1)
            start, own_start = min(first, self.shared), max(0, first - self.shared)
            mask = None
            if not self._even:
                own = torch.arange(own_start, self.width, device=self.own.device)
                seen_own = own <= self.own[:, None]
                before = torch.arange(start, self.shared, device=self.own.device)
                seen = torch.ones(self.n, len(before), dtype=torch.bool, device=self.own.device)
                if size is not None:
                    earliest = (self.positions - size)[:, None]
                    seen, seen_own = before > earliest, seen_own & (own + self.shared > earliest)
                mask = torch.cat((seen, seen_own), 1)
            self._masks[size] = start, own_start, mask
        return self._masks[size]


class _Layer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values of one layer. Trunk: (tokens, heads, size), so that its strides do not depend on its capacity.
    Own: (rows, heads, tokens, size), so that rows and heads make one batch without a copy."""

    is_sliding = False  # full length, whatever the layer's window is: the mask takes care of that

    def __init__(self, rows: SharedPrefixCache) -> None:
        super().__init__()
        self._rows = rows
        self._trunk: tuple[Tensor, Tensor] | None = None
        self._own: tuple[Tensor, Tensor] | None = None

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Memory is taken where it is needed."""

    def get_seq_length(self) -> int:
        return self._rows.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._rows.length + query_length, 0

    def get_max_length(self) -> int:
        return -1

    def get_max_cache_shape(self) -> int:
        return -1

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """For the trunk: all keys and values so far. For a step: the new ones; the attention finds the rest here."""
        if (step := self._rows.step_now) is not None:
            self._reserve_own(step.n, step.width, (key_states, value_states))
            assert self._own is not None
            for store, new in zip(self._own, (key_states, value_states), strict=True):
                store[step.rows, :, step.own] = new[:, :, 0]
            _current.layer = self
            return key_states, value_states
        start = self._rows.length
        stop = start + key_states.shape[2]
        if self._trunk is None or stop > len(self._trunk[0]):
            self._grow_trunk(stop, (key_states, value_states))
        assert self._trunk is not None
        for store, new in zip(self._trunk, (key_states, value_states), strict=True):
            store[start:stop] = new[0].transpose(0, 1)
        keys, values = (store[:stop].transpose(0, 1)[None] for store in self._trunk)
        return keys, values

    def _grow_trunk(self, n: int, like: tuple[Tensor, Tensor]) -> None:
        capacity = max(_granules(n), len(self._trunk[0]) * 3 // 2 if self._trunk else 0)
        bigger = tuple(t.new_empty(capacity, t.shape[1], t.shape[3]) for t in like)
        if self._trunk:
            for new, old in zip(bigger, self._trunk, strict=True):
                new[: len(old)] = old
        self._trunk = bigger[0], bigger[1]

    def _reserve_own(self, n_rows: int, n_tokens: int, like: tuple[Tensor, Tensor]) -> None:
        """Room for own tokens; what is there stays. like: tensors (any, heads, any, size)."""
        rows, tokens = (self._own[0].shape[0], self._own[0].shape[2]) if self._own else (0, 0)
        if n_rows <= rows and n_tokens <= tokens:
            return
        shape = max(rows, n_rows), max(tokens, _granules(n_tokens if n_tokens <= tokens else n_tokens * 3 // 2))
        bigger = tuple(t.new_zeros(shape[0], t.shape[1], shape[1], t.shape[3]) for t in like)
        if self._own:
            for new, old in zip(bigger, self._own, strict=True):
                new[:rows, :, :tokens] = old
        self._own = bigger[0], bigger[1]

    def copy_own(self, start: int, stop: int, row: int) -> None:
        """Give a new row the tokens start..stop of the trunk as its own first ones."""
        if self._trunk is None or start == stop:
            return
        self._reserve_own(row + 1, stop - start, self._like())
        assert self._own is not None
        for store, trunk in zip(self._own, self._trunk, strict=True):
            store[row, :, : stop - start] = trunk[start:stop].transpose(0, 1)

    def unshare(self, start: int, stop: int, n_rows: int, n_own: int) -> None:
        """Put the tokens start..stop of the trunk before the own tokens of every row."""
        if self._trunk is None:
            return
        more = stop - start
        self._reserve_own(n_rows, more + n_own, self._like())
        assert self._own is not None
        for store, trunk in zip(self._own, self._trunk, strict=True):
            store[:n_rows, :, more : more + n_own] = store[:n_rows, :, :n_own].clone()
            store[:n_rows, :, :more] = trunk[start:stop].transpose(0, 1)

    def move(self, source: int, target: int, n_own: int) -> None:
        """Copy the own tokens of a row over those of another."""
        for store in self._own or ():
            store[target, :, :n_own] = store[source, :, :n_own]

    def free_own(self) -> None:
        self._own = None

    def _like(self) -> tuple[Tensor, Tensor]:
        assert self._trunk is not None
        keys, values = (t[:1].transpose(0, 1)[None] for t in self._trunk)
        return keys, values

    def attend(self, query: Tensor, scaling: float, window: int | None, softcap: float | None) -> Tensor:
        """Attention of one query a row, (n, query heads, 1, size), to shared and own tokens: (n, 1, heads, size)."""
        step = self._rows.step_now
        assert step is not None
        assert self._own is not None
        assert self._trunk is not None
        start, own_start, mask = step.window(window)
        own_keys, own_values = (t[: step.n, :, own_start : step.width] for t in self._own)
        keys, values = (t[start : step.shared].transpose(0, 1) for t in self._trunk)  # (heads, tokens, size)
        n, heads, size = step.n, own_keys.shape[1], query.shape[-1]
        group = query.shape[1] // heads
        query = query.view(n, heads, group, size) * scaling
        together = query.transpose(0, 1).reshape(heads, n * group, size)
        n_shared = step.shared - start
        scores = query.new_empty(heads, n, group, n_shared + step.width - own_start)
        scores[..., :n_shared] = torch.bmm(together, keys.transpose(1, 2)).view(heads, n, group, n_shared)
        scores[..., n_shared:] = torch.matmul(query, own_keys.transpose(2, 3)).transpose(0, 1)
        if softcap is not None:
            scores = torch.tanh(scores / softcap) * softcap
        if mask is not None:
            scores.masked_fill_(~mask[None, :, None], float("-inf"))
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
        shared_weights = weights[..., :n_shared].reshape(heads, n * group, n_shared)
        output = torch.bmm(shared_weights, values).view(heads, n, group, -1).transpose(0, 1)
        output = output + torch.matmul(weights[..., n_shared:].transpose(0, 1), own_values)
        return output.reshape(n, 1, heads * group, -1)


class _Current:
    """The layer whose keys and values were brought up to date last: the one that attends now."""

    layer: _Layer | None = None


_current = _Current()


def _attend(
    module: Any,
    query: Tensor,
    _key: Tensor,
    _value: Tensor,
    _mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **rest: Any,
) -> tuple[Tensor, None]:
    """The attention of a step, as transformers calls it."""
    unknown = [name for name in ("s_aux", "position_bias", "indices") if rest.get(name) is not None]
    if unknown:
        raise NotImplementedError(f"{type(module).__name__} needs {unknown[0]}")
    assert _current.layer is not None
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    return _current.layer.attend(query, scaling, sliding_window, softcap), None


def _granules(n: int) -> int:
    return -(-n // GRANULE) * GRANULE


AttentionInterface.register(ATTENTION, _attend)
