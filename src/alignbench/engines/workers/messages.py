"""What the pool says to a worker process, beside the sampling requests of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.engines.protocol import (
    Capabilities,
    Embedded,
    Entailed,
    Event,
    Scored,
    Tokenized,
    TokensEmbedded,
)
from alignbench.engines.server_traffic import Traffic
from alignbench.engines.workers.base_pool import ModelRequest
from alignbench.models.adapter import Adapter
from alignbench.spec import Model


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load a generating model. adapter: the first that it will be asked for, which a server may have to know when it
    begins; None for none."""

    model: Model
    threads: int
    adapter: Adapter | None = None
    traffic: bool = False  # whether its process tells what it sends to servers


@dataclass(frozen=True, slots=True)
class LoadEmbedder:
    """Load the embedding model in a folder."""

    path: str
    threads: int


@dataclass(frozen=True, slots=True)
class WithAdapter:
    """A request of the loaded model with an adapter; one that comes alone is of the model itself."""

    adapter: Adapter
    request: ModelRequest | LoadAdapter


@dataclass(frozen=True, slots=True)
class LoadAdapter:
    """Ask for the capabilities of the loaded model with an adapter, which is read if it is new."""

    key: int


@dataclass(frozen=True, slots=True)
class AdapterLoaded:
    """Answer to LoadAdapter: what the model with this adapter is and can do."""

    key: int
    capabilities: Capabilities
    seconds: float


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Embed texts, as a whole or (tokens) each of their tokens. prefix: as `protocol.EmbedPool.embed` takes it."""

    key: int
    texts: tuple[str, ...]
    tokens: bool = False
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class LoadNli:
    """Load the NLI model in a folder."""

    path: str
    threads: int


@dataclass(frozen=True, slots=True)
class EntailmentRequest:
    """Whether the first text of each pair entails the second."""

    key: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    key: int
    samples: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class SetThreads:
    threads: int


Load = LoadModel | LoadEmbedder | LoadNli
Request = ModelRequest | LoadAdapter | EmbedRequest | EntailmentRequest
Message = Load | Request | WithAdapter | Cancel | SetThreads
WorkerAnswer = Event | Embedded | TokensEmbedded | Scored | Tokenized | Entailed | AdapterLoaded | Traffic
