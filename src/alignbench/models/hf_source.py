"""Where a model for transformers is, what is there, and of what kind it is; nothing heavy is imported.

hf:org/name[@revision][:file.gguf]     a model of the hub, from the local cache where it is there
hf:/path/folder[:file.gguf]            a folder; a path begins with / or ~ or .
hf:/path/file.gguf                     the same as hf:/path:file.gguf
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from alignbench.errors import InputError
from alignbench.models.folder_files import (
    INDEX,
    NO_WEIGHTS,
    WEIGHTS,
    NotThere,
    files_beside_gguf,
    has_chat_template,
    loaded_files,
    tokenizer_files,
    weight_files,
)
from alignbench.models.gguf import header
from alignbench.spec import Kind
from alignbench.textfiles import home_expanded

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_ALIGNED_NAME = re.compile(r"instruct|chat|[-_]it(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HfSource:
    """A model's place."""

    location: str  # an absolute folder or a hub id
    revision: str = ""  # of a hub model, empty for its main branch
    gguf_file: str = ""  # the file in it that holds the weights, empty for safetensors

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.location.startswith("/")

    @property
    def name(self) -> str:
        """What a model without a name is called: its file's or folder's name, or the hub id's last part."""
        return Path(self.gguf_file).stem if self.gguf_file else self.location.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.location}{revision}" + (f":{self.gguf_file}" if self.gguf_file else "")

    def folder(self) -> Path | None:
        """The folder of its files on this machine; None for a hub model that is not in the local cache."""
        if self.is_local:
            return Path(self.location)
        repository = hub_cache() / f"models--{self.location.replace('/', '--')}"
        commit = self.revision or "main"
        reference = repository / "refs" / commit
        if reference.is_file():
            commit = reference.read_text().strip()
        snapshot = repository / "snapshots" / commit
        return snapshot if snapshot.is_dir() else None

    def weights(self) -> list[Path]:
        """Its weight files on this machine: the GGUF file, or the safetensors files. Empty where there are none.

        Raises InputError where what names them is broken, or names what may not be loaded.
        """
        folder = self.folder()
        if folder is None:
            return []
        if self.gguf_file:
            path = folder / self.gguf_file
            return [path] if self.is_local or path.exists() else []
        try:
            return weight_files(folder)
        except NotThere:
            if self.is_local:
                raise
            return []  # what the cache has is not all

    def files(self, *, code: bool = False) -> list[Path]:
        """All the files that it is loaded from, the weights first. Raises InputError.

        code: whether Python files that come with the weights are run.
        """
        folder, weights = self.folder(), self.weights()
        if folder is None or not weights:
            return []
        return [*weights, *files_beside_gguf(folder)] if self.gguf_file else loaded_files(folder, code=code)

    def tokenizer_files(self) -> list[Path]:
        """The files that its tokenizer is loaded from; empty for a hub model of which the local cache has none.

        Raises InputError where a folder has none, or is not there.
        """
        folder = self.folder()
        if folder is None:
            return []
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.")
        files = tokenizer_files(folder)
        if not files and self.is_local:
            raise InputError(f"{folder} has no tokenizer (tokenizer.json, tokenizer.model, ...).")
        return files

    def check(self) -> None:
        """Raises InputError where a local model is not there or has no weights that may be loaded."""
        folder = self.folder()
        if folder is None:
            return
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.")
        if not self.weights() and self.is_local:
            ggufs = sorted(path.name for path in folder.glob("*.gguf"))
            if ggufs:
                raise InputError(f"{folder} has no *.safetensors; to load its GGUF file: hf:{folder}:{ggufs[0]}")
            if parts := sorted(folder.glob("*.safetensors")):
                raise InputError(f"{folder} has {parts[0].name}, but no {WEIGHTS} and no {INDEX} that names it.")
            raise InputError(f"{folder} has no *.safetensors. {NO_WEIGHTS}")
        for path in self.files():
            if path.suffix == ".gguf":
                header(path)

    def kind(self) -> Kind:
        """Aligned if there is a chat template; for a hub model that is not here, what its name suggests."""
        folder = self.folder()
        if folder is None:
            return "aligned" if _ALIGNED_NAME.search(self.location) else "base"
        if self.gguf_file:
            path = folder / self.gguf_file
            return "aligned" if path.exists() and header(path).chat_template else "base"
        return "aligned" if has_chat_template(folder) else "base"


def parse_source(target: str, relative_to: Path | None = None) -> HfSource:
    """What follows `hf:` in a reference. Raises InputError for what is neither a path nor a hub id.

    relative_to: folder at which a relative path starts, by default the current one.
    """
    location, colon, file = target.rpartition(":")
    if not colon or not file.endswith(".gguf"):
        location, file = target, ""
    if location.startswith(("/", "~", ".")):
        path = Path(os.path.abspath((relative_to or Path()) / home_expanded(location)))
        if path.suffix == ".gguf" and not file:
            return HfSource(str(path.parent), gguf_file=path.name)
        return HfSource(str(path), gguf_file=file)
    location, _, revision = location.partition("@")
    if not _HUB_ID.fullmatch(location):
        raise InputError(
            f"hf:{target} is no model; expected hf:org/name[@revision], hf:/path/folder or hf:/path/file.gguf "
            "(a path begins with / or ~ or .)."
        )
    return HfSource(location, revision, file)


def hub_cache() -> Path:
    """The folder in which huggingface_hub keeps what it downloads."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return home_expanded(os.environ.get("HF_HUB_CACHE") or Path(home, "hub"))
