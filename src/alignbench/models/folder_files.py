"""Which files of a folder transformers loads a model from, and whether they may be loaded.

What decides is written in files of the folder itself: an index names the shards, config.json may name the weights. They
came from somewhere else, so nothing is loaded before all that they name is known to be safetensors, in the folder, and
there. The hash of a model is made of the same files.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.models.regular_files import is_regular, open_regular
from alignbench.models.safetensors_header import tensor_names
from alignbench.parsing import too_deep
from alignbench.textfiles import json_type, read_object, read_utf8

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TEMPLATE = "chat_template.jinja"
TEMPLATES = "additional_chat_templates"  # a folder of Jinja files, a name each
NO_WEIGHTS = (
    "Other weight formats can run code when they are read and are not loaded; convert the model to safetensors."
)

_SAFE = ".safetensors"
_CONFIGS = ("config.json", "generation_config.json")
_NOT_BESIDE_GGUF = ("special_tokens_map.json", "added_tokens.json", TEMPLATE)
# What the tokenizers of transformers read, beside the files that a tokenizer_config.json names.
_TOKENIZERS = (
    TOKENIZER_CONFIG, "tokenizer.json", "special_tokens_map.json", "added_tokens.json", TEMPLATE,
    "vocab.json", "vocab.txt", "merges.txt", "bpe.codes", "dict.txt", "emoji.json", "normalizer.json",
    "vocab-src.json", "vocab-tgt.json", "target_vocab.json", "entity_vocab.json", "byte_maps.json",
    "word_shape.json", "word_pronunciation.json", "prophetnet.tokenizer",
    "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "spm.model", "spm_char.model",
    "tekken.json", "tiktoken.model",
)  # fmt: skip


class NotThere(InputError):
    """A file that is named and is not there: of the hub's cache, one that is still to be fetched."""


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that hold a folder's weights, in order of their names. Empty where there are none.

    Raises InputError where what names them is broken or names what may not be loaded.
    """
    index, names = named_weights(folder)
    if index is None:
        return [_inside(folder, name, folder, _SAFE) for name in names]
    return _shards(folder, index)


def named_weights(folder: Path) -> tuple[Path | None, list[str]]:
    """The index of a folder's weights, if they are in several files, and their names; they need not be there yet."""
    if is_regular(folder / ADAPTER):
        raise InputError(f"{folder} holds an adapter ({ADAPTER}), no model of its own; merge it into its model.")
    where = folder / "config.json"
    name = _object(where).get("transformers_weights")
    if name is None:
        where, name = folder, WEIGHTS if is_regular(folder / WEIGHTS) else INDEX
        if not (folder / name).exists():
            return None, []
    elif not isinstance(name, str):
        raise InputError(f"{where}: transformers_weights is {json_type(name)}; expected the name of a file.")
    if not name.endswith(".index.json"):
        _check_name(name, where, _SAFE)
        return None, [name]
    index = _inside(folder, name, where, f"{_SAFE}.index.json")
    names = sorted(_weight_map(index))
    for each in names:
        _check_name(each, index, _SAFE)
    return index, names


def loaded_files(folder: Path, *, code: bool = False) -> list[Path]:
    """All the files that a model is loaded from, the weights first. Empty where there are no weights.

    code: whether Python files that come with the weights are run. Raises InputError.
    """
    weights, (index, _) = weight_files(folder), named_weights(folder)
    if not weights:
        return []
    names = [*_CONFIGS, *tokenizer_names(folder)]
    if code:
        names += sorted(path.name for path in folder.glob("*.py"))
    return [*weights, *([index] if index else []), *_existing(folder, names)]


def files_beside_gguf(folder: Path) -> list[Path]:
    """The files of a folder that transformers reads beside a GGUF file: a tokenizer there is preferred to its own."""
    return _existing(folder, [name for name in tokenizer_names(folder) if name not in _NOT_BESIDE_GGUF])


def tokenizer_names(folder: Path) -> list[str]:
    """Names of the files that a tokenizer and its chat templates are read from, whether they are there or not."""
    path = folder / TOKENIZER_CONFIG
    named = _object(path).get("fast_tokenizer_files", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise InputError(f"{path}: fast_tokenizer_files is {json_type(named)}; expected a list of names.")
    for name in named:
        _check_name(name, path, ".json")
    templates = sorted(f"{TEMPLATES}/{file.name}" for file in (folder / TEMPLATES).glob("*.jinja"))
    return [*dict.fromkeys([*_TOKENIZERS, *named]), *templates]


def tokenizer_files(folder: Path) -> list[Path]:
    """The files that a tokenizer alone is loaded from. Empty where there is none; raises InputError."""
    found = _existing(folder, tokenizer_names(folder))
    return [*found, *_existing(folder, _CONFIGS[:1])] if found else []


def wanted_from_hub(names: Sequence[str], *, code: bool) -> list[str]:
    """Of the files of a hub model, those that say what it is and what its weights are called."""
    fixed = {*_CONFIGS, *_TOKENIZERS, ADAPTER, INDEX}
    return [
        name
        for name in names
        if name in fixed
        or (name.startswith(f"{TEMPLATES}/") and name.endswith(".jinja"))
        or (re.fullmatch(r"tokenizer\.[\w.]+\.json", name))
        or (code and name.endswith(".py") and "/" not in name)
    ]


def has_chat_template(folder: Path) -> bool:
    """Whether a tokenizer of the folder would have a chat template of its own: one, or of several one called default.

    As in transformers, files of their own take the place of those in a tokenizer_config.json, all of them.
    """
    if is_regular(folder / TEMPLATE):
        return True
    if named := {file.stem for file in (folder / TEMPLATES).glob("*.jinja")}:
        return "default" in named
    match _object(folder / TOKENIZER_CONFIG).get("chat_template"):
        case list(templates):
            return any(isinstance(each, dict) and each.get("name") == "default" for each in templates)
        case dict(templates):
            return "default" in templates
        case template:
            return bool(template)


def check_json(files: Sequence[Path]) -> None:
    """Raises InputError where a JSON file among them is nested so deep that reading it would end the process."""
    for path in files:
        if path.suffix == ".json" and too_deep(read_utf8(path)):
            raise InputError(f"{path}: not JSON that can be read: it is nested too deep.")


def _shards(folder: Path, index: Path) -> list[Path]:
    """The files that an index names, which hold the tensors that it says are in them."""
    shards = []
    for name, tensors in sorted(_weight_map(index).items()):
        shard = _inside(folder, name, index, _SAFE)
        if missing := sorted(tensors - tensor_names(shard)):
            raise InputError(
                f"{shard} lacks {len(missing)} tensors that {index.name} names, {missing[0]} first. "
                "Download or copy the model again."
            )
        shards.append(shard)
    return shards


def _weight_map(index: Path) -> dict[str, set[str]]:
    """The tensors of each file that an index names."""
    content = read_object(index)
    files, metadata = content.get("weight_map"), content.get("metadata", {})
    if not isinstance(files, dict) or not files:
        raise InputError(
            f'{index}: field "weight_map" is {json_type(files)}; expected an object, file names by tensor.'
        )
    if not isinstance(metadata, dict):
        raise InputError(f'{index}: field "metadata" is {json_type(metadata)}; expected an object.')
    tensors: dict[str, set[str]] = {}
    for tensor, name in files.items():
        if not isinstance(name, str):
            raise InputError(f"{index}: the file of {tensor} is {json_type(name)}; expected a name.")
        tensors.setdefault(name, set()).add(tensor)
    return tensors


def _existing(folder: Path, names: Sequence[str]) -> list[Path]:
    return [_inside(folder, name, folder, "") for name in names if os.path.lexists(folder / name)]


def _object(path: Path) -> dict[str, Any]:
    """The object of a JSON file, an empty one where there is no such file."""
    return read_object(path) if is_regular(path) else {}


def _check_name(name: str, named_by: Path, ending: str) -> None:
    """Refuse a name of another kind, and one that leaves the folder."""
    shown = json.dumps(name, ensure_ascii=False)
    if not name.endswith(ending):
        raise InputError(f"{named_by} names {shown}; expected a *{ending} file. {NO_WEIGHTS}")
    if ".." in Path(name).parts or Path(name).is_absolute() or not name.isprintable():
        raise InputError(f"{named_by} names {shown}; expected a file of the same folder.")


def placed(folder: Path, name: str, named_by: Path, ending: str = "") -> Path:
    """Where a name leads to. InputError where it is of another kind, or leads out of the folder."""
    _check_name(name, named_by, ending)
    path, home = folder / name, _home(folder)
    try:
        place = path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        place = path
    if not place.is_relative_to(home):
        raise InputError(f"{path} is a link to {place}, outside of {home}; expected a file that lies in it.")
    return path


def _inside(folder: Path, name: str, named_by: Path, ending: str) -> Path:
    """A regular file of a folder by its name. InputError where it is of another kind, elsewhere, or not there."""
    path = placed(folder, name, named_by, ending)
    if not os.path.lexists(path):
        raise NotThere(f"There is no file {path}, which {named_by} names. Download or copy the model again.")
    open_regular(path).close()
    return path


def _home(folder: Path) -> Path:
    """What the files of a folder may lie in: the folder, or the repository of the hub's cache that it is a view of."""
    place = folder.resolve()
    for snapshots in place.parents:
        if snapshots.name == "snapshots" and snapshots.parent.name.startswith("models--"):
            return snapshots.parent
    return place
