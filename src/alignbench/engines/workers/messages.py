"""What the pool says to a worker process, beside the sampling requests of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.engines.protocol import (
    Embedded,
    Entailed,
    Event,
    LikelihoodRequest,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
    TokensEmbedded,
)
from alignbench.spec import Model


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load a generating model."""

    model: Model
    threads: int


@dataclass(frozen=True, slots=True)
class LoadEmbedder:
    """Load the embedding model in a folder."""

    path: str
    threads: int


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
Request = SampleRequest | LikelihoodRequest | TokenizeRequest | EmbedRequest | EntailmentRequest
Message = Load | Request | Cancel | SetThreads
WorkerAnswer = Event | Embedded | TokensEmbedded | Scored | Tokenized | Entailed
