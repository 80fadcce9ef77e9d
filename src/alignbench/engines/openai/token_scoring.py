"""Log-probs of given tokens, from a server whose tokenizer is known: it can be asked, or models.toml names it.

vLLM says them of a prompt of ids (`prompt_logprobs`), all at once. llama-server says them only of what it generates: it
is asked, token by token, what would come next, each time with one token more behind the prompt that is in its cache.
Both give exact ranks, and alternatives with their ids. Others are asked to echo the ids that they get (EchoedIds), and
say as much as an echo does.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignbench.engines.local.teacher_forcing import continuation_start
from alignbench.engines.openai.choices import LogprobReader, are_ids
from alignbench.engines.openai.echo_scoring import ALTERNATIVES, Echoed, NoEcho, best_of, is_late, rank_of, read_columns
from alignbench.engines.openai.http import Http, posted
from alignbench.engines.openai.model_list import whole_number
from alignbench.engines.openai.server_error import NOT_THERE, UNABLE, ServerError
from alignbench.engines.openai.server_tokenizer import PromptTokenizer, SplitText
from alignbench.engines.protocol import LikelihoodRequest, Scored
from alignbench.errors import EngineError

_MOST = 20  # alternatives that vLLM gives unless it is told otherwise
_FIRST_LOOK = 100  # tokens that llama-server is asked for first, most likely ones; all of them where that is not enough
_ALL = 1 << 20  # more than any vocabulary has
_SURELY = 1e4  # added to a logit
_DIGITS = 10  # that an id has fewer of
_SPACES = " \n\u2581\u0120"  # as tokenizers spell them too
_UNABLE = UNABLE | NOT_THERE
_MOST_SLOTS = 256
_SLOT: ContextVar[int] = ContextVar("slot", default=0)  # of llama-server, for the text that is scored


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that may stand at a place. rank: 1 is the model's first choice."""

    id: int
    text: str
    logprob: float
    rank: int


@dataclass(frozen=True, slots=True)
class Place:
    """What a model says of one place: of the token that stands there, and its best, the first one first."""

    own: Candidate
    best: tuple[Candidate, ...]


def scorer_of(
    server: str, api: Http, root: Http, model: str, tokenizer: PromptTokenizer, eos: str
) -> TokenScorer | None:
    """What scores texts on a kind of server whose tokenizer is known; None where texts are echoed all the same.

    root: the address above that of the API. eos: text of the token.
    """
    match server:
        case "llama_cpp.server":  # takes no prompt of ids
            return None
        case "vLLM":
            return PromptLogprobs(api, model, tokenizer, eos)
        case "llama-server":
            return StepByStep(root, model, tokenizer, eos)
    return EchoedIds(api, model, tokenizer, eos)


class TokenScorer(ABC):
    """Scores texts under one model of a server. To be used from one event loop."""

    def __init__(self, http: Http, model: str, tokenizer: PromptTokenizer, eos: str) -> None:
        """http: of the API, or for llama-server of the address above it. eos: text of the token."""
        self._http, self._model, self._tokenizer, self._eos = http, model, tokenizer, eos
        self._prompt: tuple[str, tuple[int, ...]] = "", ()  # the last one and its ids

    async def score(self, request: LikelihoodRequest) -> Scored:
        """See protocol.Engine. Raises EngineError where the server cannot do it."""
        prompt = request.context + request.query
        if self._prompt[0] != prompt or not self._prompt[1]:
            self._prompt = prompt, (await self._tokenizer.split(prompt)).ids
        ids = self._prompt[1]
        if not request.continuation:
            return _scored(request, (), (), len(ids), await self._end(request, ids))
        whole = await self._tokenizer.split(prompt + request.continuation)
        start = continuation_start(ids, whole.ids)
        places = await self._places(whole, start, request.top)
        pieces = [piece.decode(errors="replace") for piece in whole.pieces[start:]]
        return _scored(request, places, pieces, start, await self._end(request, whole.ids))

    async def _end(self, request: LikelihoodRequest, ids: Sequence[int]) -> float | None:
        """See Scored.end. Told of layouts that only an end token closes: other closings need the whole distribution, at
        several places."""
        if request.closings != () or not (ends := await self._tokenizer.end_ids(self._eos)):
            return None
        logprobs = await self._logprobs(ids, ends)
        total = float(np.logaddexp.reduce(logprobs)) if len(logprobs) == len(ends) else -math.inf
        return total if total > -math.inf else None

    @abstractmethod
    async def _logprobs(self, ids: Sequence[int], wanted: Sequence[int]) -> Sequence[float]:
        """The log-probs of the wanted tokens behind `ids`; none where the server does not say them."""

    @abstractmethod
    async def _places(self, text: SplitText, start: int, top: int) -> Sequence[Place]:
        """What the model says of the tokens of a text from `start` on, each behind all before it."""

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await posted(self._http, path, body, _UNABLE)


class PromptLogprobs(TokenScorer):
    """vLLM's log-probs of a prompt."""

    async def _places(self, text: SplitText, start: int, top: int) -> Sequence[Place]:
        ids = text.ids
        body = {
            "model": self._model,
            "prompt": list(ids),
            "max_tokens": 1,
            "temperature": 1.0,
            "prompt_logprobs": min(max(top, 1), _MOST),
        }
        return read_prompt_logprobs(await self._post("/completions", body), ids, start, top)

    async def _logprobs(self, ids: Sequence[int], wanted: Sequence[int]) -> Sequence[float]:
        body = {
            "model": self._model,
            "prompt": list(ids),
            "max_tokens": 1,
            "temperature": 1.0,
            "logprobs": 1,
            "logprob_token_ids": list(wanted),  # since vLLM 0.30 or so; older ones pass it over
            "return_tokens_as_token_ids": True,
        }
        return read_logprobs_of(await self._post("/completions", body), wanted)


class StepByStep(TokenScorer):
    """llama-server's log-probs of what it would generate, one token after the other.

    Each text has a slot of the server for itself, whose cache has what came before; one after the other they have the
    same.
    """

    def __init__(self, http: Http, model: str, tokenizer: PromptTokenizer, eos: str) -> None:
        super().__init__(http, model, tokenizer, eos)
        self._slots: asyncio.Queue[int] | None = None  # that are free, the one that was used last in front

    async def score(self, request: LikelihoodRequest) -> Scored:
        """See TokenScorer."""
        if self._slots is None:
            found = await self._found_slots()
            if self._slots is None:  # others wait for the same
                self._slots = found
        slots = self._slots
        slot = await slots.get()
        _SLOT.set(slot)
        try:
            return await super().score(request)
        finally:
            slots.put_nowait(slot)

    async def _found_slots(self) -> asyncio.Queue[int]:
        try:
            props = await self._http.get("/props")
        except ServerError as error:
            if error.is_general:
                raise
            props = {}
        n = whole_number(props.get("total_slots")) if isinstance(props, dict) else 0
        free: asyncio.LifoQueue[int] = asyncio.LifoQueue()
        for slot in reversed(range(min(max(n, 1), _MOST_SLOTS))):
            free.put_nowait(slot)
        return free

    async def _places(self, text: SplitText, start: int, top: int) -> Sequence[Place]:
        return [await self._place(text.ids[:at], text.ids[at], top) for at in range(start, len(text.ids))]

    async def _logprobs(self, ids: Sequence[int], wanted: Sequence[int]) -> Sequence[float]:
        said = {each.id: each.logprob for each in await self._next(ids, _ALL)}
        return [said[token] for token in wanted if token in said]

    async def _place(self, before: Sequence[int], token: int, top: int) -> Place:
        looked = max(top, _FIRST_LOOK)
        while True:
            candidates = await self._next(before, looked)
            own = next((each for each in candidates if each.id == token), None)
            if own is not None:
                return Place(own, tuple(candidates[:top]))
            if len(candidates) < looked:
                raise EngineError(f"llama-server gave no log-prob of token {token}, which its own tokenizer made.")
            looked = _ALL

    async def _next(self, before: Sequence[int], n: int) -> list[Candidate]:
        body = {
            "prompt": list(before),
            "n_predict": 1,
            "n_probs": n,
            "temperature": 1.0,
            "cache_prompt": True,
            "post_sampling_probs": False,
            "id_slot": _SLOT.get(),  # which has the prompt
            # Nothing is said where the end is drawn, or a part of a character; log-probs are those without the bias.
            "logit_bias": [[self._tokenizer.letter, _SURELY]],
        }
        return read_candidates(await self._post("/completion", body))


class EchoedIds(TokenScorer):
    """The log-probs that a server echoes with a prompt of ids; alternatives come as texts, without ids."""

    async def _places(self, text: SplitText, start: int, top: int) -> Sequence[Place]:
        body = {
            "model": self._model,
            "prompt": list(text.ids),
            "max_tokens": 1,
            "temperature": 1.0,
            "echo": True,
            "logprobs": max(top, ALTERNATIVES),
        }
        try:
            echoed = read_echoed_ids(await self._post("/completions", body), text)
        except ServerError as error:
            if error.status not in _UNABLE:
                raise
            raise EngineError(f"This server takes no prompt of token ids to echo: {error}") from None
        except NoEcho as error:
            raise EngineError(f"This server {error}") from None
        return [_echoed_place(echoed, at, token, top) for at, token in enumerate(text.ids) if at >= start]

    async def _logprobs(self, ids: Sequence[int], wanted: Sequence[int]) -> Sequence[float]:  # noqa: ARG002
        return ()  # an echo tells nothing of what would follow


def read_echoed_ids(answer: Any, text: SplitText) -> Echoed:
    """What a server says of the tokens that it was sent. Raises NoEcho where it does not, or reads other tokens."""
    echoed = read_columns(answer, len(text.ids))
    for token, ours, theirs in zip(text.ids, text.pieces, echoed.pieces, strict=True):
        word = ours.decode(errors="replace").strip()
        if word.isascii() and word.isalnum() and word != theirs.strip(_SPACES):
            raise NoEcho(f"has another tokenizer than models.toml says: {token} is {theirs!r} there, not {word!r}.")
    if is_late(echoed, doubt=False):
        raise NoEcho("gives log-probs that belong to the next token.")
    return echoed


def _echoed_place(echoed: Echoed, at: int, token: int, top: int) -> Place:
    logprob, alternatives = echoed.logprobs[at], echoed.tops[at]
    assert logprob is not None
    best = best_of(alternatives, top)
    return Place(
        Candidate(token, echoed.pieces[at], logprob, rank_of(logprob, alternatives)),
        tuple(Candidate(-1, piece, value, rank) for rank, (piece, value) in enumerate(best, 1)),
    )


def read_prompt_logprobs(answer: dict[str, Any], ids: Sequence[int], start: int, top: int) -> list[Place]:
    """What vLLM says of ids[start:] in its answer to a prompt of `ids`. Raises EngineError."""
    found = _first(answer.get("choices")).get("prompt_logprobs")
    if not isinstance(found, list) or len(found) != len(ids):
        raise EngineError("vLLM gave no prompt_logprobs of the tokens it was sent. Is its version older than 0.8?")
    return [_place(entry, token, top) for entry, token in zip(found[start:], ids[start:], strict=True)]


def read_logprobs_of(answer: dict[str, Any], wanted: Sequence[int]) -> list[float]:
    """The log-probs of wanted tokens in vLLM's answer, those that it says of the one token that it drew."""
    logprobs = _first(answer.get("choices")).get("logprobs")
    said = _first(logprobs.get("top_logprobs") if isinstance(logprobs, dict) else None)
    reader = LogprobReader()
    known = [reader.number(said.get(f"token_id:{token}"), "top_logprobs") for token in wanted]
    return [] if reader.remark else [each for each in known if not math.isnan(each)]


def read_candidates(answer: dict[str, Any]) -> list[Candidate]:
    """What llama-server would go on with, most likely first. Raises EngineError."""
    listed = _first(answer.get("completion_probabilities")).get("top_logprobs")
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    ids = [row.get("id") for row in rows]
    if not rows or not are_ids(ids):
        raise EngineError("llama-server gave no log-probs of what would come next. Is its version older than 2025?")
    reader = LogprobReader()
    logprobs = [reader.number(row.get("logprob"), "top_logprobs.logprob") for row in rows]
    if reader.remark:
        raise EngineError(f"llama-server gives log-probs that cannot be read: {reader.remark}")
    texts = [str(row.get("token") or "") for row in rows]
    return [Candidate(*each) for each in zip(ids, texts, logprobs, range(1, len(rows) + 1), strict=True)]


def _first(listed: object) -> dict[str, Any]:
    """The first object of a list; an empty one where there is none."""
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}


def _place(entry: object, token: int, top: int) -> Place:
    """What vLLM says of a place: an object by token id, the token that stands there among them."""
    reader = LogprobReader()
    named: dict[int, Candidate] = {}
    for id, said in entry.items() if isinstance(entry, dict) else ():
        if isinstance(said, dict) and str(id).isdecimal() and len(str(id)) < _DIGITS:
            logprob = reader.number(said.get("logprob"), f"prompt_logprobs[{id}].logprob")
            named[int(id)] = Candidate(int(id), str(said.get("decoded_token") or ""), logprob, _rank(said.get("rank")))
    if reader.remark or token not in named or not named[token].rank:
        raise EngineError(
            f"vLLM gives prompt_logprobs that cannot be read: {reader.remark or 'a token or its rank is missing'}"
        )
    best = sorted(named.values(), key=lambda each: each.rank)
    return Place(named[token], tuple(each for each in best if each.rank <= top)[:top])


def _rank(value: object) -> int:
    """0 where it is not said."""
    return value if type(value) is int and 0 < value < _ALL else 0


def _scored(
    request: LikelihoodRequest,
    places: Sequence[Place],
    pieces: Sequence[str],
    n_context_tokens: int,
    end: float | None,
) -> Scored:
    n, top = len(places), request.top
    missing = Candidate(-1, "", -math.inf, 0)  # beyond what a server gives
    best = [[*place.best, *[missing] * (top - len(place.best))] for place in places]
    return Scored(
        key=request.key,
        ids=np.array([place.own.id for place in places], np.int32),
        pieces=tuple(pieces),
        logprob=np.array([place.own.logprob for place in places], np.float32),
        rank=np.array([place.own.rank for place in places], np.int32),
        top_ids=np.array([[each.id for each in row] for row in best], np.int32).reshape(n, top),
        top_logprob=np.array([[each.logprob for each in row] for row in best], np.float32).reshape(n, top),
        top_pieces=tuple(tuple(each.text for each in row) for row in best),
        n_context_tokens=n_context_tokens,
        end=end,
    )
