"""What an adapter makes of a loaded model's capabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alignbench.engines.protocol import Capabilities
from alignbench.models.adapter import Adapter, written_scale
from alignbench.models.weights import adapted_hash


@dataclass(frozen=True, slots=True)
class LoadedAdapter:
    """An adapter that was read.

    Attributes:
        hash: of its files, or a hub's commit
        rank: the largest of its matrices
        chat_template: Jinja source, None where it brings none
    """

    hash: str
    rank: int
    chat_template: str | None


def adapted(base: Capabilities, adapter: Adapter, loaded: LoadedAdapter) -> Capabilities:
    """What a base model is with an adapter: its layout is the adapter's where that brings one."""
    return replace(
        base,
        kind="aligned" if loaded.chat_template else base.kind,
        chat_template=loaded.chat_template or base.chat_template,
        description=f"{base.description} + LoRA rank {loaded.rank} x {written_scale(adapter.scale)}",
        file_hash=adapted_hash(base.file_hash, loaded.hash, adapter.scale),
        adapter_hash=loaded.hash,
    )
