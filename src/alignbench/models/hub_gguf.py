"""GGUF files of a model hub, for llama.cpp: `llama:org/name[@revision]:FILE.gguf`, or a quantization for it.

They are loaded from the local cache; `alignbench models pull` fetches them. A path that is there as it is written, with
its colon, is that path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alignbench.errors import InputError, did_you_mean
from alignbench.models.hf_source import HfSource

_TARGET = re.compile(r"(?P<location>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^:]+))?:(?P<wanted>[^:]+)", re.ASCII)
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_QUANTIZATION = re.compile(r"(?:^|[-._/])((?:I?Q|TQ)\d\w*|BF16|F16|F32|MXFP4\w*)(?=$|[-./])", re.IGNORECASE)
_MOST = 12  # files that a message names
SUFFIX = ".gguf"


@dataclass(frozen=True, slots=True)
class HubGguf:
    """A GGUF file of a hub. wanted: its name in the repository, or a quantization such as Q4_K_M."""

    location: str
    revision: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.location}{f'@{self.revision}' if self.revision else ''}:{self.wanted}"

    @property
    def source(self) -> HfSource:
        """The repository that it is in."""
        return HfSource(self.location, self.revision)

    @property
    def name(self) -> str:
        """What the model is called: its file's name, or the repository's with the quantization."""
        if self.wanted.endswith(SUFFIX):
            return _PART.sub("", Path(self.wanted).name).removesuffix(SUFFIX)
        return f"{re.sub('-gguf$', '', self.location.rpartition('/')[2], flags=re.IGNORECASE)}-{self.wanted}"

    def path(self) -> Path:
        """Its file in the local cache, the first one of a model in parts. InputError, with what to do, where it is not
        there."""
        folder = self.source.folder()
        files = [] if folder is None else [str(each.relative_to(folder)) for each in folder.rglob(f"*{SUFFIX}")]
        pull = f"To fetch it: alignbench models pull llama:{self}"
        if folder is None or not any(_matches(name, self.wanted) for name in files):
            here = f" The cache has {_listed(files)} of it." if files else ""
            raise InputError(f"llama:{self} is not in the local cache.{here} {pull}")
        first, *rest = chosen_files(self, files)
        if missing := [name for name in _parts(first) if name not in (first, *rest)]:
            raise InputError(f"llama:{self}: of its parts, {missing[0]} is not in the local cache. {pull}")
        return folder / first


def parse_hub_gguf(target: str, relative_to: Path | None = None) -> HubGguf | None:
    """What follows `llama:`, where it names a file of a hub; None where it is a path.

    relative_to: folder at which a relative path starts, by default the current one.
    """
    found = _TARGET.fullmatch(target)
    if target.startswith((".", "~", "/")) or found is None or os.path.lexists(Path(relative_to or "", target)):
        return None
    return HubGguf(found["location"], found["revision"] or "", found["wanted"])


def gguf_path(target: str) -> Path:
    """The GGUF file of a llama: reference. InputError for one of a hub that is not in the local cache."""
    hub = parse_hub_gguf(target)
    return Path(target) if hub is None else hub.path()


def chosen_files(gguf: HubGguf, names: Iterable[str]) -> list[str]:
    """Of the names in a repository, those of a model: one, or all its parts in order.

    Raises InputError, with what there is, where none or several models fit.
    """
    there = [name for name in names if name.endswith(SUFFIX)]
    models: dict[str, list[str]] = {}
    for name in sorted(there):
        if _matches(name, gguf.wanted):
            models.setdefault(_PART.sub("", name), []).append(name)
    if not models:
        near = did_you_mean(gguf.wanted, there) if gguf.wanted.endswith(SUFFIX) else ""
        what = f"no file {gguf.wanted}" if gguf.wanted.endswith(SUFFIX) else f"no GGUF file of {gguf.wanted}"
        raise InputError(f"llama:{gguf}: the model has {what}. {near if 'Did' in near else gguf_files(there)}".rstrip())
    if len(models) > 1:
        raise InputError(
            f"llama:{gguf}: {gguf.wanted} fits {_listed([each[0] for each in models.values()])}; expected one. Name "
            f"the file: llama:{gguf.location}:{next(iter(models.values()))[0]}"
        )
    (files,) = models.values()
    return files


def first_parts(names: Iterable[str]) -> dict[str, list[str]]:
    """The models among the names of a repository, by the first file of each: all its files, in order."""
    models: dict[str, list[str]] = {}
    for name in sorted(names):
        if name.endswith(SUFFIX) and not Path(name).name.lower().startswith("mmproj"):
            models.setdefault(_PART.sub("", name), []).append(name)
    return {files[0]: files for files in models.values()}


def gguf_files(names: Iterable[str]) -> str:
    """A sentence that names the GGUF files among these; empty where there are none."""
    there = [name for name in names if name.endswith(SUFFIX)]
    return f"Its GGUF files: {_listed(there)}." if there else ""


def _matches(name: str, wanted: str) -> bool:
    """Whether a file is the one, a part of it, or of the quantization; a projector of images is no model."""
    if wanted.endswith(SUFFIX):
        return name == wanted or (_PART.search(wanted) is not None and _PART.sub("", name) == _PART.sub("", wanted))
    if Path(name).name.lower().startswith("mmproj"):
        return False
    return any(found.casefold() == wanted.casefold() for found in _QUANTIZATION.findall(_PART.sub(SUFFIX, name)))


def _parts(name: str) -> list[str]:
    """The names of all the parts of the model that a file is one of."""
    if (part := _PART.search(name)) is None:
        return [name]
    stem, count = name[: part.start()], int(part[2])
    return [f"{stem}-{i:05}-of-{count:05}{SUFFIX}" for i in range(1, min(count, 1000) + 1)]


def _listed(names: Iterable[str]) -> str:
    there = sorted({_PART.sub(SUFFIX, name) for name in names})
    more = f" and {len(there) - _MOST} more" if len(there) > _MOST else ""
    return ", ".join(there[:_MOST]) + more
