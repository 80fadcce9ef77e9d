"""LoRA adapters as vLLM serves them: each a model by a name of its own, beside its base."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from alignbench.engines.local.adapted import LoadedAdapter
from alignbench.engines.vllm.command import ServedAdapter
from alignbench.errors import EngineError
from alignbench.models.hf_source import parse_source
from alignbench.models.hub import placed_adapter
from alignbench.models.peft_adapter import adapter_source, check_base
from alignbench.models.reference import Reference, own_name
from alignbench.models.weights import peft_hash

_PER_MODULE = (0, 32)  # tried with this version


@dataclass(frozen=True, slots=True)
class ReadAdapter:
    """Attributes:
    served: as the server is told of it
    loaded: what it makes of its base
    per_module: whether modules have ranks or alphas of their own
    """

    served: ServedAdapter
    loaded: LoadedAdapter
    per_module: bool


def check_version(read: ReadAdapter, version: str) -> None:
    """Raises EngineError where a vLLM of this version may add an adapter at another strength than it has."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if read.per_module and numbers < _PER_MODULE:
        since = ".".join(map(str, _PER_MODULE))
        raise EngineError(
            f"{read.served.folder} has ranks or alphas of single modules (rank_pattern, alpha_pattern), which vLLM "
            f"{version} may pass over; expected {since} or newer, or hf:."
        )


def read_adapter_for(reference: Reference, taken: Collection[str]) -> ReadAdapter:
    """Read the files of a reference's adapter, fetched where it is a hub's.

    taken: names that the server has given. Raises InputError where it is none or of another base, EngineError where it
    cannot be fetched.
    """
    assert reference.adapter is not None
    source = adapter_source(reference.adapter.target)
    read = placed_adapter(source)
    check_base(read, parse_source(reference.target))
    name, own = own_name(reference), own_name(reference)
    number = 1
    while name in taken:
        number += 1
        name = f"{own}-{number}"
    loaded = LoadedAdapter(peft_hash(source), read.rank, read.chat_template)
    return ReadAdapter(ServedAdapter(name, read.folder, read.rank), loaded, read.per_module)
