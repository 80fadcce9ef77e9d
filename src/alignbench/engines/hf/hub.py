"""Fetches a model of the hub: what says what it is first, and its weights when that has been looked at."""

from __future__ import annotations

import glob
import os
from dataclasses import replace
from pathlib import Path

from alignbench.errors import EngineError
from alignbench.models.folder_files import WEIGHTS, check_json, named_weights, wanted_from_hub
from alignbench.models.hf_source import HfSource
from alignbench.models.peft_adapter import ADAPTER_FILES, PeftAdapter, read_adapter

HUB_TIMEOUT = 10.0  # seconds for the one question that tells whether the hub can be reached


def fetched(source: HfSource, *, code: bool) -> HfSource:
    """The same model at the commit that it has now, with all that it is loaded from in the local cache.

    code: whether Python files that come with it are run. Raises EngineError where it cannot be fetched, InputError
    where it names weights that may not be loaded.
    """
    commit, names = _ask(source)
    found = replace(source, revision=commit)
    _download(found, wanted_from_hub(names, code=code))
    if source.gguf_file:
        _download(found, [source.gguf_file])
    elif folder := found.folder():
        _download(found, named_weights(folder)[1] or [name for name in names if name == WEIGHTS])
    found.check()
    if not found.weights():
        raise EngineError(f"hf:{source}: not all of its files could be fetched.")
    return found


def fetched_adapter(source: HfSource) -> Path:
    """The folder of a hub's adapter at the commit that it has now, in the local cache. Raises EngineError."""
    commit, names = _ask(source)
    found = replace(source, revision=commit)
    _download(found, [name for name in names if name in ADAPTER_FILES])
    folder = found.folder()
    if folder is None:
        raise EngineError(f"hf:{source}: not all of its files could be fetched.")
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
    commit, names = _listing(source)
    found = replace(source, revision=commit)
    _download(found, wanted_from_hub(names, code=False))
    if not found.tokenizer_files():
        raise EngineError(f"hf:{source} has no tokenizer.")
    return found


def _download(source: HfSource, names: list[str]) -> None:
    import huggingface_hub

    if not names:
        return
    try:
        huggingface_hub.snapshot_download(
            source.location, revision=source.revision, allow_patterns=[glob.escape(name) for name in names]
        )
    except Exception as error:  # a boundary, as below
        raise EngineError(f"hf:{source} could not be fetched: {first_line(error)}") from None


def _ask(source: HfSource) -> tuple[str, list[str]]:
    """See `_listing`. Raises EngineError also where there are no weights that may be loaded."""
    commit, files = _listing(source)
    if source.gguf_file and source.gguf_file not in files:
        raise EngineError(f"hf:{source}: the model has no file {source.gguf_file}.")
    if not source.gguf_file and not any(file.endswith(".safetensors") for file in files):
        raise EngineError(
            f"hf:{source} has no *.safetensors. Other weight formats can run code when they are read and are not "
            "loaded; look for a revision with safetensors (often refs/pr/...) or convert the model."
        )
    return commit, files


def _listing(source: HfSource) -> tuple[str, list[str]]:
    """The commit of a hub model and the names of its files; one request, which fails soon without a network.

    Raises EngineError where the hub cannot be asked, or has no such model.
    """
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    missing = f"hf:{source} is not in the local cache"
    instead = "Download it where there is a network, or give a folder: hf:/path/folder"
    if huggingface_hub.constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE", "") not in ("", "0"):
        raise EngineError(f"{missing}, and the environment asks for offline work (HF_HUB_OFFLINE). {instead}")
    try:
        info = huggingface_hub.HfApi().model_info(
            source.location, revision=source.revision or None, timeout=HUB_TIMEOUT
        )
    except GatedRepoError:
        raise EngineError(f"hf:{source}: access has to be asked for on its page; then set HF_TOKEN.") from None
    except RevisionNotFoundError:
        raise EngineError(f"hf:{source}: the model has no revision {source.revision!r}.") from None
    except RepositoryNotFoundError:
        raise EngineError(f"hf:{source}: the hub has no such model, or it is private (then set HF_TOKEN).") from None
    except Exception as error:  # a boundary: the HTTP client, and with it the errors, changes with huggingface_hub
        raise EngineError(f"{missing}, and the hub cannot be reached ({first_line(error)}). {instead}") from None
    return str(info.sha), [sibling.rfilename for sibling in info.siblings or ()]


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
