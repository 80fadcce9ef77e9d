"""Rows for models whose attention or cache cannot be taken apart: every group of forks is a batch of its own.

Rows that were forked from one prompt at one time are a batch: a copy of the prompt's cache, as wide as they are many,
that grows by a token a step. All rows of a batch have one length, so nothing is padded, and recurrent states, pruned
windows and whatever else a model keeps are copied as they are.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache


class BatchCache:
    """The same interface as shared_prefix_cache.SharedPrefixCache, for any causal language model of transformers."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = model.get_input_embeddings().weight.device
        takes = inspect.signature(model.forward).parameters
        self._can_keep = "logits_to_keep" in takes
        self._cache_name = "past_key_values" if "past_key_values" in takes else "cache_params"  # as Mamba calls it
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._trunk = self._new()
        self._length = 0
        self._forks: list[int] = []  # slots that continue the trunk as it is now
        self._batches: list[_Batch] = []

    def _new(self) -> Any:
        return DynamicCache(config=self._model.config.get_text_config())

    @property
    def length(self) -> int:
        """Tokens of the trunk."""
        return self._length

    def rewind(self, length: int) -> int:
        """Keep the first `length` tokens of the trunk, or none where it cannot be rewound; how many were kept."""
        self._settle()
        if length < self._length:
            try:
                self._trunk.crop(length - self._length)  # a negative count: so many tokens fewer
            except (RuntimeError, ValueError, NotImplementedError, AttributeError):  # pruned window, recurrent state
                self._trunk, length = self._new(), 0
            self._length = length
        return self._length

    def extend(self, ids: Sequence[int], n_logits: int) -> Tensor:
        """Append tokens to the trunk; logits (n_logits, vocab) after the last n_logits of them."""
        self._settle()
        logits = self._forward(torch.tensor([ids], device=self._device), self._length, self._trunk, n_logits)[0]
        self._length += len(ids)
        return logits

    def _forward(self, ids: Tensor, start: int, cache: Any, n_logits: int) -> Tensor:
        positions = torch.arange(start, start + ids.shape[1], device=self._device)
        output = self._model(
            input_ids=ids,
            position_ids=positions.expand(ids.shape),
            use_cache=True,
            **{self._cache_name: cache},
            **({"logits_to_keep": n_logits} if self._can_keep else {}),
        )
        logits: Tensor = output.logits[:, -n_logits:]
        return logits

    def fork(self, slot: int) -> None:
        """Let a slot continue the trunk."""
        self._forks.append(slot)

    def _settle(self) -> None:
        """Make a batch of the forks before the trunk changes."""
        if self._forks:
            self._batches.append(_Batch(self._forks, copy.deepcopy(self._trunk), self._length))
            self._batches[-1].cache.reorder_cache(torch.zeros(len(self._forks), dtype=torch.long, device=self._device))
            self._forks = []

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        if slot in self._forks:
            self._forks.remove(slot)
        for batch in [c for c in self._batches if slot in c.slots]:
            left = [i for i, other in enumerate(batch.slots) if other != slot]
            if left:
                batch.slots = [batch.slots[i] for i in left]
                batch.cache.reorder_cache(torch.tensor(left, device=self._device))
            else:
                self._batches.remove(batch)

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to each slot, which must be all there are; logits (len(slots), vocab) in their order."""
        self._settle()
        given = dict(zip(slots, tokens, strict=True))
        parts, order = [], []
        for batch in self._batches:
            ids = torch.tensor([[given[slot]] for slot in batch.slots], device=self._device)
            parts.append(self._forward(ids, batch.length, batch.cache, 1)[:, 0])
            batch.length += 1
            order += batch.slots
        logits = torch.cat(parts)
        if order == list(slots):
            return logits
        return logits[torch.tensor([order.index(slot) for slot in slots], device=logits.device)]


class _Batch:
    """Rows of one length. slots: of each row of the cache."""

    def __init__(self, slots: list[int], cache: Any, length: int) -> None:
        self.slots = slots
        self.cache = cache
        self.length = length
