"""What every pool of models does alike: each kind of request is queued in one way."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from alignbench.engines.protocol import (
    Failed,
    LikelihoodRequest,
    SampleRequest,
    Scored,
    Sink,
    Tokenized,
    TokenizeRequest,
)
from alignbench.spec import Model

ModelRequest = SampleRequest | LikelihoodRequest | TokenizeRequest


class RequestQueue(ABC):
    """The requests of protocol.EnginePool, for a pool that says how any of them gets to a model."""

    def __init__(self) -> None:
        self._keys = itertools.count(1)

    @abstractmethod
    def _ask(self, model: Model, request: ModelRequest, sink: Callable[[Any], None]) -> None:
        """Queue a request; the sink gets its events, Failed where the model is not loaded."""

    def new_key(self) -> int:
        """A request key no other request of this pool has."""
        return next(self._keys)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        """Queue a request for samples."""
        self._ask(model, request, sink)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        """Queue a scoring request."""
        self._ask(model, request, sink)

    def tokenize(self, model: Model, texts: Sequence[str], sink: Callable[[Tokenized | Failed], None]) -> None:
        """Queue texts for the model's tokenizer."""
        self._ask(model, TokenizeRequest(self.new_key(), tuple(texts)), sink)
