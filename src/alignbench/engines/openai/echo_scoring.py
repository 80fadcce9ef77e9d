"""Log-probs of a given text from a completions endpoint: the server is asked to echo its prompt with their log-probs.

vLLM does so, and llama_cpp.server with `logits_all`. Others, llama-server among them, ignore `echo` or the log-probs of
what they did not generate, and are recognized by their answer. Only strings come back, so ids are -1; ranks are exact
up to the number of alternatives that were asked for, and one more than it beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignbench.engines.local.teacher_forcing import continuation_start
from alignbench.engines.openai.choices import LogprobReader, read_usage
from alignbench.engines.openai.http import Http, posted
from alignbench.engines.openai.request import Server
from alignbench.engines.openai.server_error import UNABLE
from alignbench.engines.protocol import LikelihoodRequest, Scored
from alignbench.errors import EngineError

ALTERNATIVES = 5  # asked for at least: OpenAI's limit, and enough to tell ranks 1 to 3 from those beyond


@dataclass(frozen=True, slots=True)
class Echoed:
    """The tokens of a text: pieces, log-probs (None of the first one) and the best alternatives of each."""

    pieces: tuple[str, ...]
    logprobs: tuple[float | None, ...]
    tops: tuple[dict[str, float], ...]

    def after(self, start: int) -> Echoed:
        """Without its first tokens."""
        return Echoed(self.pieces[start:], self.logprobs[start:], self.tops[start:])


class Echo:
    """Scores texts under one model of a server. To be used from one event loop."""

    def __init__(self, http: Http, model: str, server: Server) -> None:
        self._http, self._model, self._server = http, model, server
        self._refusal = ""  # why it cannot be done here at all
        self._prompt: tuple[tuple[str, int] | None, tuple[str, ...]] = None, ()  # the last one and its tokens

    async def score(self, request: LikelihoodRequest) -> Scored:
        """See protocol.Engine. Raises EngineError where the server cannot do it."""
        prompt = request.context + request.query
        asked_for = max(request.top, ALTERNATIVES)
        if self._prompt[0] != (prompt, asked_for):
            self._prompt = (prompt, asked_for), (await self._ask(prompt, asked_for)).pieces
        pieces = self._prompt[1]  # of this request, before others that run beside it
        if not request.continuation:
            return _scored(request, Echoed((), (), ()), len(pieces))
        whole = await self._ask(prompt + request.continuation, asked_for)
        if is_late(whole, doubt=self._server.name == "llama_cpp.server"):
            raise EngineError(
                f"{self._who} gives log-probs that belong to the next token, as llama_cpp.server does of a text that "
                "does not begin with BOS. Score with a local model (llama: or hf:), or with vLLM."
            )
        start = continuation_start(pieces, whole.pieces)
        return _scored(request, whole.after(start), start)

    async def _ask(self, text: str, alternatives: int) -> Echoed:
        if self._refusal:
            raise EngineError(self._refusal)
        body = {
            "model": self._model,
            "prompt": text,
            "max_tokens": 1,  # 0 means no limit to llama_cpp.server
            "temperature": 1.0,
            "echo": True,
            "logprobs": alternatives,
        }
        try:
            answer = await posted(self._http, "/completions", body, UNABLE)
            return read_echo(answer, text)
        except NoEcho as error:
            self._refusal = f"{self._who} {error} Score with a local model (llama: or hf:), or with vLLM."
            raise EngineError(self._refusal) from None

    @property
    def _who(self) -> str:
        return self._server.name or "This server"


class NoEcho(EngineError):
    """A server gave no log-probs of the text it was sent."""


def read_echo(answer: Any, text: str) -> Echoed:
    """The tokens of `text` in the answer to a request to echo it, without what was generated. Raises NoEcho."""
    if not str(_first_choice(answer).get("text") or "").startswith(text):
        raise NoEcho("does not echo a text it is given.")
    return read_columns(answer)


def read_columns(answer: Any, n: int | None = None) -> Echoed:
    """The tokens of the prompt in an answer that echoes it. n: how many they are, where it is known. Raises NoEcho."""
    choice = _first_choice(answer)
    logprobs = choice.get("logprobs")
    names = ("tokens", "token_logprobs", "top_logprobs")
    found = [logprobs.get(name) for name in names] if isinstance(logprobs, dict) else []
    columns = [column for column in found if isinstance(column, list)]
    if len(columns) < len(names):
        raise NoEcho("gives no log-probs of a text it is given.")
    if len(set(map(len, columns))) > 1:
        raise NoEcho(f"gives {', '.join(names)} of different lengths: {', '.join(str(len(each)) for each in columns)}.")
    usage = read_usage(answer)
    if n is None:
        n = len(columns[0]) - (usage.completion or 0)
    elif len(columns[0]) < n:
        raise NoEcho("gives log-probs of what it generates only.")
    elif len(columns[0]) > n + 1 or usage.prompt not in (None, n):
        raise NoEcho(f"reads {usage.prompt or len(columns[0]) - 1} tokens where it was sent {n} token ids.")
    if n < 1 or any(value is None for value in columns[1][1:n]):
        raise NoEcho("gives log-probs of what it generates only.")
    pieces, values, tops = (column[:n] for column in columns)
    reader = LogprobReader()
    known = [reader.number(value, f"token_logprobs[{place}]") for place, value in enumerate(values)]
    best = [_alternatives(top, f"top_logprobs[{place}]", reader) for place, top in enumerate(tops)]
    if reader.remark:
        raise NoEcho(f"gives log-probs that cannot be read: {reader.remark}")
    logprob = tuple(None if value is None else number for value, number in zip(values, known, strict=True))
    return Echoed(tuple(map(str, pieces)), logprob, tuple(best))


def _first_choice(answer: Any) -> dict[str, Any]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _alternatives(top: object, where: str, reader: LogprobReader) -> dict[str, float]:
    if top is not None and not isinstance(top, dict):
        raise NoEcho(f"gives {where} that is no object.")
    read = {str(piece): reader.number(value, f"{where}[{piece!r}]") for piece, value in (top or {}).items()}
    return {piece: value for piece, value in read.items() if not math.isnan(value)}


def is_late(echoed: Echoed, *, doubt: bool) -> bool:
    """Whether the first choices are those of the tokens that follow, not of their own tokens.

    doubt: whether it counts as late where neither fits.
    """
    best = [max(top, key=top.__getitem__) if top else None for top in echoed.tops]
    here = sum(choice == piece for choice, piece in zip(best[1:], echoed.pieces[1:], strict=True))
    late = sum(choice == piece for choice, piece in zip(best[:-1], echoed.pieces[1:], strict=True))
    return late > here or (doubt and late == here)


def _scored(request: LikelihoodRequest, echoed: Echoed, n_context_tokens: int) -> Scored:
    n, top = len(echoed.pieces), request.top
    logprob = np.array(echoed.logprobs, np.float32).reshape(n)
    best = [best_of(alternatives, top) for alternatives in echoed.tops]
    ranks = [rank_of(own, alternatives) for own, alternatives in zip(logprob.tolist(), echoed.tops, strict=True)]
    return Scored(
        key=request.key,
        ids=np.full(n, -1, np.int32),
        pieces=echoed.pieces,
        logprob=logprob,
        rank=np.array(ranks, np.int32),
        top_ids=np.full((n, top), -1, np.int32),
        top_logprob=np.array([[value for _, value in row] for row in best], np.float32).reshape(n, top),
        top_pieces=tuple(tuple(piece for piece, _ in row) for row in best),
        n_context_tokens=n_context_tokens,
    )


def rank_of(logprob: float, alternatives: dict[str, float]) -> int:
    """Of a token among the alternatives that a server gives: exact up to their number, one more than it beyond."""
    return 1 + sum(other > logprob for other in alternatives.values())


def best_of(alternatives: dict[str, float], top: int) -> Sequence[tuple[str, float]]:
    """The first `top` of them; those that a server does not give have no text and no probability."""
    best = sorted(alternatives.items(), key=lambda item: -item[1])[:top]
    return [*best, *[("", float("-inf"))] * (top - len(best))]
