"""Natural language inference by a cross-encoder in a local folder: whether one text entails another.

Importing this module is cheap; torch and sentence-transformers are imported when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.embedder import weights_name
from alignbench.errors import EngineError
from alignbench.extras import needed
from alignbench.models.module_folder import check_modules

_BATCH = 16  # pairs in one forward pass


class NliModel:
    """A sentence-transformers cross-encoder whose labels name an entailment."""

    def __init__(self, path: str, *, threads: int | None = None) -> None:
        """threads: CPU threads of torch, its own choice where none is given. EngineError where it cannot be loaded."""
        folder = Path(path)
        with needed("An NLI model needs", "embeddings", error=EngineError):
            import torch
            from sentence_transformers import CrossEncoder
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            check_modules(folder)
            self._model: Any = CrossEncoder(str(folder), local_files_only=True, model_kwargs={"use_safetensors": True})
        except Exception as error:  # the libraries raise anything on a folder that is broken
            raise EngineError(f"Cannot load the NLI model at {path}: {error}") from error
        labels = {int(i): str(label).casefold() for i, label in self._model.config.id2label.items()}
        entailing = [i for i, label in labels.items() if label.startswith("entail")]
        if len(labels) < 2 or len(entailing) != 1:
            names = ", ".join(labels.values())
            raise EngineError(f"{path} is no NLI model: none of its labels is entailment, they are {names}.")
        self._entailment = entailing[0]
        self.name = weights_name(folder)

    def entails(self, pairs: Sequence[tuple[str, str]]) -> tuple[NDArray[np.bool_], int]:
        """Whether the first text of each pair (n,) entails the second: its likeliest label says so. And how many pairs
        are longer than the model's window, so that only their beginnings were read."""
        if not pairs:
            return np.zeros(0, np.bool_), 0
        clean = [tuple(text.encode("utf-8", "replace").decode() for text in pair) for pair in pairs]
        logits = np.asarray(self._model.predict(clean, batch_size=_BATCH, show_progress_bar=False))
        room = self._model.tokenizer.model_max_length
        lengths = self._model.tokenizer(clean, truncation=False, verbose=False)["input_ids"]
        return logits.argmax(axis=1) == self._entailment, sum(len(ids) > room for ids in lengths)
