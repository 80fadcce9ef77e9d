"""What everything that a model has to compute is computed with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alignbench.engines.protocol import EmbedPool, EnginePool


@dataclass(frozen=True, slots=True)
class Backends:
    """What scores are computed with: the session database and the workers."""

    db: Path
    pool: EnginePool
    embed: EmbedPool | None
