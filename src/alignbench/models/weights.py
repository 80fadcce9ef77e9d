"""The hash of a model's weights, which tells one build of them from another."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from alignbench import cache_folder, paths
from alignbench.models.catalog import file_hash, weights_path
from alignbench.models.gguf import header, read_adapter_header
from alignbench.models.gguf_adapter import adapter_file, layout_beside
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.models.peft_adapter import ADAPTER_FILES, adapter_source, read_adapter
from alignbench.models.reference import Reference, parse_reference
from alignbench.models.regular_files import open_regular
from alignbench.parsing import parse_json
from alignbench.spec import Model, content_hash


def weights_hash(model: Model) -> str:
    """What `Capabilities.file_hash` says, without loading the model; empty where the weights are not on this machine.

    Raises InputError where they are broken or gone.
    """
    reference = parse_reference(model.reference)
    match reference.scheme:
        case "openai":
            return ""
        case "hf" | "vllm":
            base = source_hash(parse_source(reference.target), code=model.options.trust_remote_code)
        case _:
            base = gguf_hash(weights_path(model))
    return base if reference.adapter is None else adapted_hash(base, adapter_hash(reference), reference.adapter.scale)


def adapter_hash(reference: Reference) -> str:
    """The hash of a model's adapter.

    Empty where there is none, or it is not on this machine. Raises InputError where it is broken or gone.
    """
    adapter = reference.adapter
    if adapter is None:
        return ""
    if reference.scheme not in ("hf", "vllm"):
        return gguf_adapter_hash(adapter_file(adapter))
    return peft_hash(adapter_source(adapter.target))


def gguf_adapter_hash(path: Path) -> str:
    """The hash of an adapter for llama.cpp: of its file, and of the chat template where that is a file beside it."""
    open_regular(path, "a GGUF file").close()
    beside = layout_beside(path)
    files = [path] if beside is None or read_adapter_header(path).chat_template is not None else [path, beside]
    return _hash_of([(file.name, file) for file in files], remembered_hash)


def peft_hash(source: HfSource) -> str:
    """The commit of a hub's adapter; of a folder, the hash of all the files that it is loaded from."""
    folder = source.folder()
    if not source.is_local or folder is None:
        return folder.name if folder else source.revision
    read_adapter(folder)
    files = [(name, folder / name) for name in ADAPTER_FILES if (folder / name).is_file()]
    return _hash_of(files, remembered_hash)


def adapted_hash(base: str, adapter: str, scale: float) -> str:
    """The hash of weights that an adapter changes, of both hashes and the scale; empty where one is not known."""
    return content_hash([base, adapter, scale]) if base and adapter else ""


def source_hash(source: HfSource, *, code: bool = False) -> str:
    """A hub model's commit; of a folder, the hash of all the files that the model is loaded from.

    code: whether Python files that come with the weights are run.
    """
    folder = source.folder()
    if not source.is_local or folder is None:
        return folder.name if folder else source.revision
    return _hash_of([(str(path.relative_to(folder)), path) for path in source.files(code=code)], remembered_hash)


def tokenizer_hash(source: HfSource) -> str:
    """The commit of a hub model whose tokenizer is taken; of a folder, the hash of the files that it is loaded from.

    Raises InputError where a folder has none.
    """
    folder = source.folder()
    if not source.is_local or folder is None:
        return folder.name if folder else source.revision
    return _hash_of([(str(path.relative_to(folder)), path) for path in source.tokenizer_files()], remembered_hash)


def gguf_hash(path: Path, hash_file: Callable[[Path], str] | None = None) -> str:
    """The hash of a GGUF model: of its one file, or of all of them where it is split. hash_file: in place of memory."""
    return _hash_of([(part.name, part) for part in header(path).parts], hash_file or remembered_hash)


def _hash_of(files: Sequence[tuple[str, Path]], hash_file: Callable[[Path], str]) -> str:
    """SHA-256 of one file; of several that of their names and SHA-256s, as sha256sum lists them."""
    if len(files) == 1:
        return hash_file(files[0][1])
    lines = [f"{hash_file(path)}  {name}\n" for name, path in files]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def remembered_hash(path: Path) -> str:
    """SHA-256 of a file; remembered by path, size and times of change, since weights are large."""
    stat = path.stat()
    memory = paths.cache_dir() / "hashes.json"
    identity = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
    try:
        read = parse_json(memory.read_text())
    except (OSError, ValueError):
        read = None
    known: dict[str, str] = read if isinstance(read, dict) else {}
    if identity not in known:
        known[identity] = file_hash(path)
        _remember(memory, known)
    return known[identity]


def _remember(memory: Path, known: dict[str, str]) -> None:
    if not cache_folder.works(memory.parent):
        return
    part = memory.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # it is a folder, or the disk was filled meanwhile: the hash is made again
        try:
            part.write_text(json.dumps(known))
            part.replace(memory)
        finally:
            part.unlink(missing_ok=True)
