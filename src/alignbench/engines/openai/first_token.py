"""The likeliest first tokens of a response, from the log-probs that servers give of what they generate.

One token is generated at temperature 1, and the log-probs of its alternatives are read. OpenAI gives 20 of them, those
of the model's distribution at temperature 1; vLLM gives raw ones, as llama-server does. A server that gives fewer is
asked for fewer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from alignbench.engines.openai.choices import FieldError, LogprobReader, choices_of, read_choice
from alignbench.engines.openai.http import Http, retrying
from alignbench.engines.openai.request import Requests
from alignbench.engines.openai.server_error import UNABLE, ServerError
from alignbench.engines.protocol import LikelihoodRequest, SampleRequest, Scored
from alignbench.errors import EngineError
from alignbench.spec import Sampling

_FEWER = (20, 10, 5)  # alternatives to ask for where the server refuses more
_ROUNDING = 1e-2  # how far over 1 probabilities may sum
_NAMES = ("top_logprobs", "logprobs")


class FirstToken:
    """Asks one model of a server. To be used from one event loop."""

    def __init__(self, http: Http, requests: Requests) -> None:
        self._http, self._requests = http, requests
        self._limits = list(_FEWER)

    async def ask(self, request: LikelihoodRequest) -> Scored:
        """The one row of alternatives; see protocol.LikelihoodRequest. EngineError where the server gives none."""
        sample = SampleRequest(
            request.key,
            request.context,
            request.query,
            Sampling(temperature=1.0, max_tokens=1),
            (),
            (0,),
            seed=0,
            stream=1,
            messages=request.messages,
        )

        async def attempt() -> Any:
            while True:
                top = self._limits[0]
                body = self._body(sample, top)
                try:
                    return await self._http.post(self._requests.path(sample), body)
                except ServerError as error:
                    too_many = error.about_request and any(name in error.detail for name in _NAMES)
                    if too_many and top != self._limits[0]:
                        continue  # another request has met the same refusal
                    if too_many and len(self._limits) > 1:
                        self._limits.pop(0)
                    elif too_many or not self._requests.learn(error, body):
                        error.settle(UNABLE)
                        raise

        return _scored(request, read_alternatives(await retrying(attempt)))

    def _body(self, sample: SampleRequest, top: int) -> dict[str, Any]:
        body = self._requests.body(sample, 1, 1, logprobs=False, stream=False)
        return body | ({"logprobs": True, "top_logprobs": top} if sample.messages else {"logprobs": top})


def read_alternatives(answer: Any) -> list[tuple[str, float]]:
    """Texts of the likeliest first tokens and their log-probs in nats, best first. EngineError where there are none,
    or the first token is not the answer's."""
    try:
        choices = choices_of(answer, 1) if isinstance(answer, dict) else []
        said = [read_choice(choice, where) for _, choice, where in choices]
    except FieldError as error:
        raise EngineError(f"it answers with what cannot be read: {error}") from None
    if any(piece.thinking for piece in said):
        raise EngineError("it thinks before its answer")
    reader = LogprobReader()
    known: dict[str, float] = {}
    for _, choice, _ in choices:
        for token, value in _listed(choice.get("logprobs")):
            logprob = reader.number(value, "top_logprobs")
            if not math.isnan(logprob):
                known.setdefault(token, logprob)
    if not known:
        raise EngineError(reader.remark or "it gives no log-probs of the alternatives to what it generates")
    if math.fsum(map(math.exp, known.values())) > 1.0 + _ROUNDING:
        raise EngineError("its log-probs are of probabilities that sum to more than 1")
    return sorted(known.items(), key=lambda item: -item[1])


def _listed(logprobs: object) -> Iterator[tuple[str, object]]:
    """Alternatives to the first token, in the form of chat or of completions."""
    if not isinstance(logprobs, dict):
        return
    content, tops = logprobs.get("content"), logprobs.get("top_logprobs")
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict) and isinstance(first.get("top_logprobs"), list):
        for each in first["top_logprobs"]:
            if isinstance(each, dict) and isinstance(each.get("token"), str):
                yield each["token"], each.get("logprob")
    elif isinstance(tops, list) and tops and isinstance(tops[0], dict):
        yield from ((str(token), value) for token, value in tops[0].items())


def _scored(request: LikelihoodRequest, best: list[tuple[str, float]]) -> Scored:
    """Without a continuation: nothing is scored, and the alternatives are the one row."""
    shown = best[: request.top]
    return Scored(
        key=request.key,
        ids=np.empty(0, np.int32),
        pieces=(),
        logprob=np.empty(0, np.float32),
        rank=np.empty(0, np.int32),
        top_ids=np.full((1, len(shown)), -1, np.int32),
        top_logprob=np.array([[value for _, value in shown]], np.float64),
        top_pieces=(tuple(token for token, _ in shown),),
        n_context_tokens=0,
    )
