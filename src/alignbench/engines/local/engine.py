"""What the engines that run a model in this process have in common: requests, prefixes, scoring.

An engine adds tokens, a cache and a decode (decoder.Decoder).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import inf

from alignbench.engines.cancellation import Aborted, Cancellation
from alignbench.engines.local import teacher_forcing
from alignbench.engines.local.adapted import LoadedAdapter, adapted
from alignbench.engines.local.arrays import Floats32
from alignbench.engines.local.decoder import Decoder, Grammar
from alignbench.engines.local.ending import Branch, TokenBytes, distinct_closings, ending_logprob
from alignbench.engines.local.generation import generate
from alignbench.engines.local.rows import TokenizedRequest
from alignbench.engines.local.strict_width import PROBE_TOKENS, STEPS, StrictWidths
from alignbench.engines.local.teacher_forcing import continuation_start, score_tokens
from alignbench.engines.protocol import (
    Capabilities,
    Event,
    Failed,
    LikelihoodRequest,
    More,
    MoreLikelihoods,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
)
from alignbench.errors import EngineError
from alignbench.models.adapter import Adapter

CHUNK = 512  # tokens of a prompt per decode, counted from the start and again from the end of the context part

_PROBE = "A probe of many different words: rivers, seven clocks, an old violin, salt, Tuesday, 1984, and why?"


def reusable(cached: Sequence[int], cached_cut: int, ids: Sequence[int], cut: int, strict: bool) -> int:
    """How many tokens of a prompt need not be computed again.

    Strict mode reuses a context only if it is the same to the last token and was prefilled with the same cut; fast
    mode any common prefix. The last token is always decoded, for its logits.

    Args:
        cached: the tokens in the cache
        cached_cut: where the context part of these ends
        ids: of the prompt
        cut: where its context part ends
        strict: the mode
    """
    common = 0
    while common < min(len(cached), len(ids) - 1) and cached[common] == ids[common]:
        common += 1
    if strict:
        return cut if common >= cut and cached_cut == cut else 0
    return common


def dependable_cut(cut: int, n_cached: int, cached_cut: int, alone: bool) -> int:
    """The cut that strict mode may rely on after a prefill; -1 for none.

    Only a context that was computed from its start with the cuts of strict mode, with nothing else in the cache, is the
    same to the last bit wherever it is used again.

    Args:
        cut: of this prefill
        n_cached: tokens that it reused
        cached_cut: that these were prefilled with
        alone: whether nothing else was in the cache
    """
    return cut if alone and (n_cached == 0 or n_cached == cut == cached_cut) else -1


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two texts begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def prefill_chunks(n: int, cut: int, n_cached: int) -> Iterator[tuple[int, int]]:
    """Start and end of each decode of a prefill, which is cut at the end of the context and every CHUNK tokens."""
    for start, stop in pairwise([*range(0, cut, CHUNK), *range(cut, n, CHUNK), n]):
        if max(start, n_cached) < stop:
            yield max(start, n_cached), stop


@dataclass(frozen=True, slots=True)
class _Forced:
    """The prompt of the last scored continuation, which may still be in the cache, and the logits after it."""

    ids: list[int]
    cut: int
    first: Floats32


class LocalEngine(ABC, Decoder):
    """Implements protocol.Engine. Not thread-safe but for `threads`."""

    takes_more = False
    threads: int  # may be set at any time
    n_ctx_train: int  # 0 where it is not known
    n_vocab: int

    def __init__(self, cancel: Cancellation, threads: int) -> None:
        self.threads = threads
        self._cancel = cancel
        self._strict_widths: dict[tuple[Adapter | None, bool], StrictWidths] = {}  # and by whether slots are apart
        self._forced: _Forced | None = None
        self._parted: tuple[tuple[str, str], tuple[list[int], int]] | None = None  # texts of a prompt and its tokens
        self._context_ids: tuple[str, list[int]] | None = None  # the last context and its tokens
        self._adapter: Adapter | None = None
        self._loaded_adapter: LoadedAdapter | None = None

    def use(self, adapter: Adapter | None) -> None:
        """Compute with the weights as an adapter changes them; see protocol.Engine."""
        if adapter == self._adapter:
            return
        self._forced = None
        self.forget()
        self._switch(None)  # whatever comes of the other one
        self._adapter = self._loaded_adapter = None
        if adapter is not None:
            self._loaded_adapter = self._switch(adapter)
            self._adapter = adapter

    def capabilities(self) -> Capabilities:
        """What the loaded model is and can do."""
        base = self.base_capabilities()
        if self._adapter is None or self._loaded_adapter is None:
            return base
        return adapted(base, self._adapter, self._loaded_adapter)

    @abstractmethod
    def base_capabilities(self) -> Capabilities:
        """What the loaded model is and can do without an adapter."""

    @abstractmethod
    def _switch(self, adapter: Adapter | None) -> LoadedAdapter | None:
        """Have the next decode use an adapter, which is loaded first if it is new, or none."""

    @abstractmethod
    def forget(self) -> None:
        """Empty the cache."""

    @abstractmethod
    def tokenize(self, text: str) -> list[int]:
        """Token ids of a rendered prompt, special tokens parsed, with exactly one BOS where the model wants one."""

    @abstractmethod
    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token, special tokens by name."""

    def grammar(self, schema: str) -> Grammar | None:
        """None: this engine holds no response to a schema."""
        del schema
        return None

    @abstractmethod
    def append(self, ids: Sequence[int]) -> Floats32:
        """Append tokens to the prompt in the cache; logits after each, (len(ids), vocab)."""

    @abstractmethod
    def rewind(self, ids: Sequence[int]) -> bool:
        """Keep these tokens of the prompt in the cache and forget what follows them; False where that cannot be."""

    @abstractmethod
    def drop_all(self) -> None:
        """Forget every slot."""

    def token_text(self, token: int) -> str:
        """The text of a token for people, special tokens included."""
        return self.token_bytes(token).decode(errors="replace")

    def tokens(self, request: TokenizeRequest) -> Tokenized:
        """Token ids and bytes of texts."""
        ids = tuple(tuple(self.tokenize(text)) for text in request.texts)
        return Tokenized(request.key, ids, tuple(tuple(map(self.token_bytes, each)) for each in ids))

    def tokenize_parts(self, context: str, query: str) -> tuple[list[int], int]:
        """Ids of context + query as one text, and how many of them the context alone decides.

        The cut is the length of the common prefix of the ids of the whole and of the context by itself, so it is a
        function of this prompt only.
        """
        ids = self.tokenize(context + query)
        if self._context_ids is None or self._context_ids[0] != context:
            self._context_ids = context, self.tokenize(context)
        alone = self._context_ids[1]
        cut = 0
        while cut < min(len(alone), len(ids) - 1) and alone[cut] == ids[cut]:
            cut += 1
        return ids, cut

    def _prompt_parts(self, context: str, query: str) -> tuple[list[int], int]:
        """`tokenize_parts` of the prompt that continuations follow one after the other, a survey's options say."""
        if self._parted is None or self._parted[0] != (context, query):
            self._parted = (context, query), self.tokenize_parts(context, query)
        ids, cut = self._parted[1]
        return list(ids), cut

    def sample(
        self,
        requests: Sequence[SampleRequest],
        more: More | None = None,  # noqa: ARG002
    ) -> Iterator[Event]:
        """Carry out requests of one mode; those that cannot fit fail alone. See generation.generate for the events."""
        self._forced = None
        batch = []
        for request in requests:
            ids, cut = self.tokenize_parts(request.context, request.query)
            try:
                self._check_window(len(ids), request.sampling.max_tokens)
            except EngineError as error:
                yield Failed(request.key, str(error))
            else:
                batch.append(TokenizedRequest(request, tuple(ids), cut))
        try:
            if batch:
                yield from generate(self, batch, self.threads, self._cancel)
        finally:
            self.drop_all()

    def score_all(
        self,
        requests: Sequence[LikelihoodRequest],
        more: MoreLikelihoods | None = None,  # noqa: ARG002
    ) -> Iterator[Scored | Failed]:
        """See protocol.Engine."""
        for request in requests:
            if request.first:
                raise EngineError("First tokens are asked of servers alone; here whole texts can be scored.")
            yield self.score(request)

    def score(self, request: LikelihoodRequest) -> Scored:
        """Teacher forcing, in chunks of positions; see protocol.LikelihoodRequest.

        Requests that follow each other under one prompt compute it once, and under one context that. What comes out
        is the same to the last bit: each prefill is cut in the same places. Raises EngineError, also when cancelled.
        """
        prompt_ids, cut = self._prompt_parts(request.context, request.query)
        ids = self.tokenize(request.context + request.query + request.continuation)
        start = continuation_start(prompt_ids, ids)
        if 0 < self.n_ctx_train < len(ids):
            raise EngineError(
                f"The text to score has {len(ids)} tokens, {start} of them before the response, but the context window "
                f"of the model is {self.n_ctx_train}."
            )
        longest = len(ids) + max((len(closing.encode()) for closing in request.closings or ()), default=0)
        tells_end = request.closings is not None and not 0 < self.n_ctx_train < longest
        self._reserve_to_score(longest if tells_end else len(ids))
        cut = min(cut, start - 1)
        try:
            logits = self._forced_logits(ids, start, cut, request.key)
            scored = score_tokens(request, ids[start:], start, logits, self.token_text)
            return replace(scored, end=self._end(request, ids, cut, scored)) if tells_end else scored
        except Aborted:
            raise EngineError("The scoring was cancelled.") from None

    def _end(self, request: LikelihoodRequest, ids: list[int], cut: int, scored: Scored) -> float | None:
        """See Scored.end. The cache holds all of `ids` but the last one."""
        start, held = scored.n_context_tokens, ids[:-1] if len(scored.ids) else []

        def read(wanted: tuple[int, ...]) -> Floats32:
            nonlocal held
            if self._cancel.whole(request.key):
                raise Aborted
            kept = min(_common(held, wanted), len(wanted) - 1)
            if kept < min(start, len(wanted) - 1) or not self.rewind(wanted[:kept]):
                first, _ = self.prompt(wanted, cut, True, request.key)
                row = self.on_host(first)
            else:
                row = self.append(wanted[kept:])[-1]
            held = list(wanted)
            return row

        branches = []
        for closing in distinct_closings(request.closings or ()):
            branches.append(Branch(0.0, tuple(ids), closing.encode()))
            closed = self.tokenize(request.context + request.query + request.continuation + closing)
            at = _common(ids, closed)
            if start <= at < len(ids):  # text and closing would share a token
                own = b"".join(map(self.piece, ids[at:]))
                instead = -float(scored.logprob[at - start :].sum(dtype=float))
                branches.append(Branch(instead, tuple(ids[:at]), own + closing.encode(), over=len(own)))
        end = ending_logprob(ids, branches, self._vocabulary, read)
        return end if end > -inf else None

    @cached_property
    def _vocabulary(self) -> TokenBytes:
        return TokenBytes(self.n_vocab, self.piece, self.is_end)

    def _reserve_to_score(self, n: int) -> None:
        """Room for n tokens, and for longer continuations to come: a cache that grows forgets what it holds."""
        try:
            self.reserve(1 << (n - 1).bit_length(), 0, 1)
        except EngineError:
            self.reserve(n, 0, 1)

    def _forced_logits(self, ids: Sequence[int], start: int, cut: int, key: int) -> Iterator[Floats32]:
        """The rows of logits that predict ids[start:]. Raises Aborted when request `key` is cancelled."""
        if start == len(ids):
            return
        yield self._after_prompt(list(ids[:start]), cut, key)[None]
        for at in range(start, len(ids) - 1, teacher_forcing.CHUNK):
            if self._cancel.whole(key):
                raise Aborted
            yield self.append(ids[at : min(at + teacher_forcing.CHUNK, len(ids) - 1)])

    def _after_prompt(self, ids: list[int], cut: int, key: int) -> Floats32:
        """The logits after a prompt, which is in the cache then."""
        if self._cancel.whole(key):
            raise Aborted
        forced, self._forced = self._forced, None
        if forced is None or (forced.ids, forced.cut) != (ids, cut) or not self.rewind(ids):
            first, _ = self.prompt(ids, cut, True, key)
            forced = _Forced(ids, cut, self.on_host(first))
        self._forced = forced
        return forced.first

    @abstractmethod
    def apart(self, shared: int, own: int) -> bool:
        """Whether slots that are reserved like this have caches of their own, each with a copy of the prompt."""

    def strict_widths(self, n: int, shared: int, own: int) -> tuple[int, ...]:
        """Widths of strict mode for n samples; probed once on these weights and this device for each kind of cache."""
        apart = self.apart(shared, own)
        key = self._adapter, apart
        if key not in self._strict_widths:
            ids = self.tokenize(_PROBE)
            longest = min(PROBE_TOKENS, self.n_ctx_train // 2 or PROBE_TOKENS)
            probe = ids if apart else (ids * (longest // len(ids) + 1))[:longest]
            self._strict_widths[key] = StrictWidths(self, probe, len(ids) if apart else STEPS)
        return self._strict_widths[key].up_to(n)

    def _check_window(self, n_prompt: int, max_tokens: int) -> None:
        """Refuse, with the numbers, what is longer than the model's context window."""
        longest = n_prompt + max_tokens
        if not n_prompt:
            raise EngineError("The prompt has no tokens.")
        if 0 < self.n_ctx_train < longest:
            raise EngineError(
                f"The prompt has {n_prompt} tokens and the response may have {max_tokens}: {longest} together, "
                f"but the model's context window is {self.n_ctx_train}. Shorten the prompt or lower max_tokens."
            )
