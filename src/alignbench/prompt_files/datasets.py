"""Rows of data sets, through the package datasets: of a hub or of its local cache, of a folder or a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.extras import needed
from alignbench.prompt_files.record import TEXT_FIELDS, Record, wanted_columns
from alignbench.prompt_files.source import PromptSource
from alignbench.textfiles import home_expanded

_BATCH = 1024  # rows
_NO_NETWORK = ("OfflineModeIsEnabled", "ConnectError", "LocalEntryNotFoundError")
_STATE = "state.json"  # in a folder that Dataset.save_to_disk wrote
_STATES = "dataset_dict.json"


def read_dataset(source: PromptSource) -> Iterator[Record]:
    """The rows of a data set, those of its columns alone that tell something of a prompt.

    Raises InputError where there is no such data set, split or column, AlignbenchError where datasets is not installed.
    """
    with needed("Data sets need", "datasets"):
        import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    rows = _split(source, _loaded(datasets, source))
    names = rows.column_names
    for name in filter(None, (source.field, source.id)):
        if name not in names:
            raise InputError(f"{source}: there is no column {name!r}. {did_you_mean(name, names)}".rstrip())
    wanted = [name for name in wanted_columns(source) if name in names]
    if not source.field and not {*TEXT_FIELDS, "messages"} & {*names}:
        raise InputError(
            f"{source}: its columns are {', '.join(names)}; expected prompt, text or messages. Name another one: "
            f"field={names[0] if names else 'NAME'}"
        )
    number = 0
    for batch in rows.select_columns(wanted).with_format(None).iter(_BATCH):
        for cells in zip(*(batch[name] for name in wanted), strict=True):
            number += 1
            yield Record(f"row {number}", dict(zip(wanted, cells, strict=True)))


def _loaded(datasets: Any, source: PromptSource) -> Any:
    """A Dataset, or a DatasetDict of all its splits."""
    arguments: dict[str, Any] = {"split": source.split or None}
    if source.revision:
        arguments["revision"] = source.revision
    place = source.location
    try:
        if source.is_local:
            path = Path(os.path.abspath(home_expanded(place)))
            if not path.exists():
                raise InputError(f"{source}: there is no file or folder {path}.")
            if (path / _STATE).is_file() or (path / _STATES).is_file():
                return datasets.load_from_disk(str(path))
            if path.is_file():
                return datasets.load_dataset(str(path.parent), data_files=path.name, **arguments)
            place = str(path)
        return datasets.load_dataset(place, source.config or None, **arguments)
    except InputError:
        raise
    except Exception as error:  # a boundary: readers of all kinds of files, a hub's client
        raise InputError(f"{source}: {_why(error)}") from None


def _split(source: PromptSource, loaded: Any) -> Any:
    if not isinstance(loaded, dict):
        return loaded
    names = [str(name) for name in loaded]
    if not source.split and len(names) == 1:
        return loaded[names[0]]
    if source.split in names:
        return loaded[source.split]
    what = f"there is no split {source.split!r}" if source.split else "it has several splits"
    raise InputError(f"{source}: {what}; expected split=NAME, one of {', '.join(names)}.")


def _why(error: Exception) -> str:
    """An error of the package in words: its cause, where it only says that there was one."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception) and "generating" in str(error):
        error = error.__cause__
    name, words = type(error).__name__, " ".join(str(error).split()).rstrip(".")[:400]
    if name in ("DatasetNotFoundError", "RepositoryNotFoundError", "GatedRepoError"):
        return f"{words}. A private or a gated one needs HF_TOKEN."
    if isinstance(error, ConnectionError) or name in _NO_NETWORK:
        return f"{words}. It is not in the local cache either; read it once where there is a network."
    return f"{words or name}."
