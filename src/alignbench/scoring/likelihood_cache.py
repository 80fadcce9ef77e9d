"""Log-probs of many given responses, each asked for once ever: kept in a database, made in the model's worker."""

from __future__ import annotations

import queue
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from alignbench.engines.blocking import ReadFirst, first_tokens, loaded
from alignbench.engines.protocol import Capabilities, EnginePool, Failed, LikelihoodRequest, Scored
from alignbench.errors import AlignbenchError, EngineError, StoreError
from alignbench.metrics.likelihood import TokenLogprobs
from alignbench.metrics.stretches import token_ends
from alignbench.models.catalog import server_settings
from alignbench.models.reference import parse_reference
from alignbench.models.weights import tokenizer_hash, weights_hash
from alignbench.spec import Model, content_hash
from alignbench.store import Store

_Key = tuple[str, str, tuple[str, ...] | None]

_FLYING = 4  # requests at a time, so that the worker never waits for the next one; as many as a server has lanes


@dataclass(frozen=True)
class Passage:
    """A response and the text before it.

    Attributes:
        context: the part of that text which other passages share
        query: the rest
        closings: texts that end the response here as an end token does; None where its end is not asked for
    """

    context: str
    query: str
    response: str
    closings: tuple[str, ...] | None = None

    @cached_property
    def hashes(self) -> tuple[str, str]:
        """Of all that comes before, and of the response."""
        return content_hash(self.context + self.query), content_hash(self.response)

    @cached_property
    def key(self) -> _Key:
        """What is the same of passages that a model says the same of."""
        return (*self.hashes, self.closings)


class LikelihoodCache:
    """What models say of passages, in a store that keeps it."""

    def __init__(self, store: Store, pool: EnginePool) -> None:
        self._store, self._pool = store, pool
        self._identities: dict[Model, str] = {}
        self._unusable: dict[Model, str] = {}  # why a model cannot be asked
        self._unkept: dict[tuple[str, _Key], TokenLogprobs] = {}  # where the store does not take them
        self._refused: dict[tuple[Model, _Key], str] = {}

    def make(self, model: Model, passages: Iterable[Passage], *, with_token_ends: bool = False) -> None:
        """Ask for those passages that are not kept yet, and keep the answers.

        with_token_ends: ask also for those that were kept when it was not kept where tokens end.

        Passages that follow each other under one prompt, or one context, cost least. The model is loaded only if
        something is missing. A server that gives no answer is asked for nothing more. Passages are taken as the work
        goes on, so that `progress.tracked` tells how far it is.
        """
        answers: queue.SimpleQueue[Scored | Failed] = queue.SimpleQueue()
        flying: dict[int, Passage] = {}
        unavailable = ""  # why nothing more is asked of a server
        again: list[Passage] = []
        asked: set[_Key] = set()

        def send(passage: Passage) -> None:
            key = self._pool.new_key()
            flying[key] = passage
            request = LikelihoodRequest(
                key, passage.context, passage.query, passage.response, top=0, closings=passage.closings
            )
            self._pool.score(model, request, answers.put)

        def receive() -> None:
            nonlocal unavailable
            answer = answers.get()
            passage = flying.pop(answer.key)
            if isinstance(answer, Scored):
                self.keep(model, passage, answer)
                return
            if answer.unavailable and not answer.lost and not unavailable:
                unavailable = answer.message
                for key in flying:
                    self._pool.cancel(model, key)
            if unavailable:
                self._refused[model, passage.key] = unavailable
            elif passage in again:
                self._refused[model, passage.key] = answer.message
            else:  # the worker may have died: it is started again for a second try
                again.append(passage)
                if self.capabilities(model):
                    send(passage)

        for passage in passages:
            if passage.key in asked or self._is_kept(model, passage, with_token_ends):
                continue
            if unavailable:
                self._refused[model, passage.key] = unavailable
            elif capabilities := self.capabilities(model):
                asked.add(passage.key)
                send(passage)
                while len(flying) >= max(_FLYING, capabilities.lanes):
                    receive()
        while flying:
            receive()

    def tokens(self, model: Model, passage: Passage) -> TokenLogprobs | None:
        """What a model says of a passage; None where it was not asked, or `why_not`."""
        identity = self.identity(model)
        if not identity:
            return None
        return self._unkept.get((identity, passage.key)) or self._store.likelihood(identity, *passage.key)

    def first_tokens(
        self, model: Model, texts: Sequence[ReadFirst], top: int
    ) -> Generator[list[tuple[str, float]], None, None]:
        """What responses of a server may begin with, see `blocking.first_tokens`; asked anew each time."""
        return first_tokens(self._pool, model, texts, top)

    def why_not(self, model: Model, passage: Passage) -> str:
        """Why there is nothing of a passage that was asked for."""
        return self._unusable.get(model) or self._refused.get((model, passage.key)) or "not asked"

    def identity(self, model: Model) -> str:
        """What decides a model's numbers: its weights, and how they are run; empty where there are no weights."""
        if model not in self._identities:
            try:
                self._identities[model] = _identity(model)
            except AlignbenchError as error:
                self._identities[model], self._unusable[model] = "", str(error)
        return self._identities[model]

    def capabilities(self, model: Model) -> Capabilities | None:
        """Of a model that can be asked; it is loaded where it is not. None where it cannot be."""
        if not self.identity(model) or model in self._unusable:
            return None
        try:
            return loaded(self._pool, model)
        except EngineError as error:
            self._unusable[model] = str(error)
            return None

    def _is_kept(self, model: Model, passage: Passage, with_token_ends: bool) -> bool:
        tokens = self.tokens(model, passage)
        return tokens is not None and not (with_token_ends and tokens.token_ends is None)

    def keep(self, model: Model, passage: Passage, answer: Scored) -> None:
        """Keep an answer, however it was asked for."""
        ends = np.array(token_ends(passage.response, answer.pieces), np.int32)
        tokens = TokenLogprobs(answer.ids, answer.logprob, answer.rank, answer.end, ends)
        identity = self.identity(model)
        try:
            if not self._unkept:
                self._store.add_likelihood(identity, *passage.hashes, tokens, passage.closings)
                return
        except StoreError:  # read-only, locked, a full disk: the model is asked again the next time
            pass
        self._unkept[identity, passage.key] = tokens


def _identity(model: Model) -> str:
    reference = parse_reference(model.reference)
    weights = weights_hash(model) or str(reference)
    match reference.scheme:
        case "hf":
            return ":".join(("hf", weights, model.options.dtype, model.options.quantize)).rstrip(":")
        case "vllm":  # arguments choose the arithmetic
            return ":".join(("vllm", weights, model.options.dtype, *model.options.args))
        case "openai" if (tokenizer := server_settings(model).tokenizer) is not None:
            return f"{weights} tokenizer:{tokenizer}:{tokenizer_hash(tokenizer)}"
    return weights
