"""A LoRA adapter in a model's reference: `BASE+ADAPTER`, or `BASE+ADAPTER*SCALE` where its scale is not 1.

In a path, `+` begins an adapter before `/`, `~` or `.` and after `.gguf`; a path that is there as it is written is one
path, plus signs and all.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from alignbench import bounds
from alignbench.errors import InputError

_PLUS = re.compile(r"(?<=\.gguf)\+|(?<!\+)\+(?=[/~.]|$)")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is added to a base model's weights.

    Attributes:
        target: an absolute path, or a hub id with its revision
        scale: a factor of what it adds, beside its own alpha / rank
    """

    target: str
    scale: float = 1.0

    def __str__(self) -> str:
        return f"{self.target}{scale_suffix(self.scale)}"


def scale_suffix(scale: float) -> str:
    """A scale as references have it: `*0.5`, nothing for 1."""
    return "" if scale == 1 else f"*{written_scale(scale)}"


def written_scale(scale: float) -> str:
    """`0.5`, `1`, `0`: the shortest that is the same number."""
    return repr(scale + 0.0).removesuffix(".0")


def parted(target: str, *, hub: bool, relative_to: Path | None = None) -> tuple[str, str | None]:
    """A base model's place and what follows its `+`, None where there is none.

    hub: whether it is a hub id, which has no `+` of its own. Raises InputError where several adapters follow.
    """
    if hub:
        base, plus, adapter = target.partition("+")
        return base, adapter if plus else None
    found = None if _is_there(target, relative_to) else _PLUS.search(target)
    if found is None:
        return target, None
    base, adapter = target[: found.start()], target[found.end() :]
    if _PLUS.search(adapter) and not _is_there(parted_scale(adapter)[0], relative_to):
        raise InputError(f"{target!r} has several adapters; expected one. Merge them into one first.")
    return base, adapter


def parted_scale(adapter: str) -> tuple[str, float]:
    """An adapter's place and its scale. Raises InputError for a scale that is no number."""
    place, star, scale = adapter.rpartition("*")
    if not star:
        return adapter, 1.0
    return place, float(bounds.ADAPTER_SCALE.read("The scale of an adapter", scale))


def _is_there(path: str, relative_to: Path | None) -> bool:
    return os.path.lexists(Path(relative_to or "", os.path.expanduser(path)))
