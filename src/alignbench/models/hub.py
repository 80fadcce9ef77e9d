"""Fetches a model of the hub: what says what it is first, and its weights when that has been looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alignbench.errors import EngineError, InputError
from alignbench.models.folder_files import WEIGHTS, check_json, named_weights, wanted_from_hub
from alignbench.models.hf_source import HfSource
from alignbench.models.hub_files import Listing, fetch_files, first_line, listing, remember_commit
from alignbench.models.hub_gguf import SUFFIX, HubGguf, chosen_files, gguf_files
from alignbench.models.peft_adapter import ADAPTER_FILES, PeftAdapter, read_adapter
from alignbench.progress import Progress, silent

__all__ = ["fetched", "fetched_adapter", "fetched_gguf", "fetched_tokenizer", "first_line", "placed_adapter"]


def fetched(source: HfSource, *, code: bool, progress: Progress = silent) -> HfSource:
    """The same model at the commit that it has now, with all that it is loaded from in the local cache.

    code: whether Python files that come with it are run. progress: told of bytes. Raises EngineError where it cannot be
    fetched, InputError where there is no such model or it names weights that may not be loaded.
    """
    there = _ask(source)
    found = replace(source, revision=there.commit)
    fetch_files(source, there, wanted_from_hub([*there.sizes], code=code), progress)
    if source.gguf_file:
        fetch_files(source, there, [source.gguf_file], progress)
    elif folder := found.folder():
        named = named_weights(folder)[1] or [name for name in there.sizes if name == WEIGHTS]
        fetch_files(source, there, [name for name in named if name in there.sizes], progress)
    found.check()
    if not found.weights():
        raise EngineError(f"hf:{source}: not all of its files could be fetched.")
    remember_commit(source, there.commit)
    return found


def fetched_gguf(gguf: HubGguf, progress: Progress = silent) -> Path:
    """A GGUF file of a hub, with all its parts, at the commit that it has now, in the local cache.

    Raises EngineError where it cannot be fetched, InputError where there is none or several fit.
    """
    try:
        there = listing(gguf.source)
    except InputError as error:
        raise InputError(str(error).replace("hf:", "llama:")) from None
    names = chosen_files(gguf, there.sizes)
    fetch_files(gguf.source, there, names, progress)
    remember_commit(gguf.source, there.commit)
    return gguf.path()


def fetched_adapter(source: HfSource, progress: Progress = silent) -> Path:
    """The folder of a hub's adapter at the commit that it has now, in the local cache. Raises EngineError."""
    there = _ask(source)
    found = replace(source, revision=there.commit)
    fetch_files(source, there, [name for name in there.sizes if name in ADAPTER_FILES], progress)
    folder = found.folder()
    if folder is None:
        raise EngineError(f"hf:{source}: not all of its files could be fetched.")
    remember_commit(source, there.commit)
    return folder


def placed_adapter(source: HfSource) -> PeftAdapter:
    """An adapter, of a folder or of the local cache, into which it is fetched where it is not there yet.

    Raises EngineError where it cannot be fetched, InputError where it is none.
    """
    folder = source.folder() or fetched_adapter(source)
    check_json([folder / name for name in ADAPTER_FILES if (folder / name).is_file()])
    return read_adapter(folder)


def fetched_tokenizer(source: HfSource) -> HfSource:
    """The same model at the commit that it has now, with its tokenizer, without its weights, in the local cache.

    Raises EngineError where it cannot be fetched.
    """
    there = listing(source)
    found = replace(source, revision=there.commit)
    fetch_files(source, there, wanted_from_hub([*there.sizes], code=False))
    if not found.tokenizer_files():
        raise EngineError(f"hf:{source} has no tokenizer.")
    return found


def _ask(source: HfSource) -> Listing:
    """See `listing`. Raises InputError also where there are no weights that may be loaded."""
    found = listing(source)
    if source.gguf_file and source.gguf_file not in found.sizes:
        raise InputError(f"hf:{source}: the model has no file {source.gguf_file}. {gguf_files(found.sizes)}".rstrip())
    if not source.gguf_file and not any(file.endswith(".safetensors") for file in found.sizes):
        files = [name for name in found.sizes if name.endswith(SUFFIX)]
        llama = f" {gguf_files(files)} For llama.cpp: llama:{source.location}:{files[0]}" if files else ""
        raise InputError(
            f"hf:{source} has no *.safetensors. Other weight formats can run code when they are read and are not "
            f"loaded; look for a revision with safetensors (often refs/pr/...) or convert the model.{llama}"
        )
    return found
