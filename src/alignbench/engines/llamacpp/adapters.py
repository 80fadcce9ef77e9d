"""LoRA adapters of a model that llama.cpp has loaded: read once, added to a context at any scale."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import llama_cpp as L

from alignbench.engines.local.adapted import LoadedAdapter
from alignbench.errors import EngineError
from alignbench.models.adapter import Adapter
from alignbench.models.adapter_check import gguf_facts
from alignbench.models.weights import gguf_adapter_hash


class GgufAdapters:
    """The adapters of one model, which frees them with itself."""

    def __init__(self, model: L.llama_model_p, base: Path) -> None:
        self._model = model
        self._base = base
        self._read: dict[str, tuple[L.llama_adapter_lora_p, LoadedAdapter]] = {}  # by their paths

    def load(self, adapter: Adapter) -> LoadedAdapter:
        """Read an adapter, once. Raises InputError or EngineError."""
        if adapter.target not in self._read:
            facts = gguf_facts(adapter, self._base)
            loaded = LoadedAdapter(gguf_adapter_hash(facts.path), facts.rank, facts.chat_template)
            handle = L.llama_adapter_lora_init(self._model, os.fsencode(facts.path))
            if not handle:
                raise EngineError(f"{facts.path}: llama.cpp could not load this adapter; the worker's log says why.")
            self._read[adapter.target] = handle, loaded
        return self._read[adapter.target][1]

    def set(self, context: L.llama_context_p, adapter: Adapter | None) -> None:
        """Have a context compute with an adapter that was loaded, or with none. Its cache has to be empty."""
        handles = [] if adapter is None else [self._read[adapter.target][0]]
        scales = [] if adapter is None else [adapter.scale]
        n = len(handles)
        pointers = (L.llama_adapter_lora_p_ctypes * n)(*handles)
        if L.llama_set_adapters_lora(context, pointers, n, (ctypes.c_float * n)(*scales)) != 0:
            raise EngineError(f"llama.cpp could not set the adapter {adapter}; the worker's log may say more.")
