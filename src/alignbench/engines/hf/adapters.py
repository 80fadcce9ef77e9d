"""LoRA adapters of a model that transformers has loaded, by PEFT: read once, switched and scaled in place."""

from __future__ import annotations

from typing import Any

from alignbench.engines.local.adapted import LoadedAdapter
from alignbench.errors import EngineError
from alignbench.extras import needed
from alignbench.models.adapter import Adapter
from alignbench.models.hub import first_line, placed_adapter
from alignbench.models.peft_adapter import PeftAdapter, adapter_source, other_base
from alignbench.models.weights import peft_hash

# Out and in of a linear layer, an embedding, and a transposed layer of GPT-2.
_SIZES = (("out_features", "in_features"), ("embedding_dim", "num_embeddings"), ("nf", "nx"))


class PeftAdapters:
    """The adapters of one model, whose layers PEFT puts its own around."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._wrapped: Any = None  # a PeftModel, once there is an adapter
        self._read: dict[str, tuple[str, LoadedAdapter]] = {}  # by their places; PEFT knows them by the names

    def load(self, adapter: Adapter) -> LoadedAdapter:
        """Read an adapter, once. Raises InputError or EngineError."""
        if adapter.target not in self._read:
            source = adapter_source(adapter.target)
            read = placed_adapter(source)
            self._check_modules(read)
            name = f"adapter{len(self._read)}"  # without dots: it becomes part of the names of modules
            try:
                self._add(read, name)
            except EngineError:
                self._drop(name)
                raise
            self._read[adapter.target] = name, LoadedAdapter(peft_hash(source), read.rank, read.chat_template)
        return self._read[adapter.target][1]

    def set(self, adapter: Adapter | None) -> None:
        """Have the model compute with an adapter that was loaded, or with none."""
        if self._wrapped is None:
            return
        layers = self._wrapped.base_model
        if adapter is None:
            layers.disable_adapter_layers()
            return
        name, _ = self._read[adapter.target]
        layers.enable_adapter_layers()
        layers.set_adapter(name)
        for module in self._model.modules():
            if hasattr(module, "set_scale"):
                module.set_scale(name, adapter.scale)

    def _add(self, read: PeftAdapter, name: str) -> None:
        with needed(f"{read.folder} is an adapter, which needs", "transformers", error=EngineError):
            import peft
        try:
            config = peft.PeftConfig.from_pretrained(str(read.folder))
            config.init_lora_weights = True  # what is drawn is read over: nothing else is to happen to the base
            config.inference_mode = True
            if self._wrapped is None:
                self._wrapped = peft.PeftModel(self._model, config, adapter_name=name)
            else:
                self._wrapped.add_adapter(name, config)
            report = self._wrapped.load_adapter(str(read.folder), name, torch_device=str(self._model.device))
            self._wrapped.eval()
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise EngineError(f"{read.folder} could not be loaded with PEFT: {first_line(error)}") from error
        if lacking := report.missing_keys:
            raise EngineError(f"{read.folder} lacks {len(lacking)} tensors that its configuration names: {lacking[0]}.")
        if others := report.unexpected_keys:
            raise EngineError(f"{read.folder} has tensors that its configuration does not name: {others[0]}.")

    def _drop(self, name: str) -> None:
        """Take away what there is of an adapter that could not be loaded."""
        if self._wrapped is not None:
            if name in self._wrapped.peft_config:
                self._wrapped.delete_adapter(name)
            self.set(None)

    def _check_modules(self, read: PeftAdapter) -> None:
        """Raises InputError where the base lacks a module that the adapter changes, or has it in another shape."""
        modules = dict(self._model.named_modules())
        for name, shape in read.shapes.items():
            module = modules.get(name)
            if module is None:
                raise other_base(read, name, None)
            module = getattr(module, "base_layer", module)
            sizes = next((sizes for sizes in _SIZES if hasattr(module, sizes[0])), ())
            there = tuple(int(getattr(module, size)) for size in sizes)
            if there != shape:
                raise other_base(read, name, (there[0], there[1]) if there else None)
