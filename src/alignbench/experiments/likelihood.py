"""How likely a given response is under a model and a context, token by token."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from dataclasses import dataclass

from alignbench.contexts.rendering import render
from alignbench.engines.protocol import EnginePool, Event, Failed, Loaded, Loading, Scored, ScoreRequest
from alignbench.errors import EngineError
from alignbench.spec import Context, Model, Prompt

MARGINAL_RANK = 3  # Lin et al. 2023: rank 1 is unshifted, 2 to 3 marginal, beyond shifted


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Totals over a response of n_tokens tokens and n_bytes UTF-8 bytes.

    logprob: sum of the raw log-probs, nats. bits_per_byte: -logprob / ln 2 / n_bytes, comparable between tokenizers;
    None for an empty response. unshifted, marginal, shifted: tokens of rank 1, 2 to 3, beyond.
    """

    n_tokens: int
    n_bytes: int
    logprob: float
    bits_per_byte: float | None
    unshifted: int
    marginal: int
    shifted: int


def score_response(
    pool: EnginePool,
    model: Model,
    context: Context,
    prompt: Prompt,
    response: str,
    top: int = 5,
    loading: Callable[[float], None] = lambda _: None,
) -> Scored:
    """Teacher force a response; waits for the model to load. Raises EngineError, or InputError from rendering.

    loading: told how much of the model is loaded, 0 to 1; what it raises is raised here.
    """
    events: queue.Queue[Event | Scored] = queue.Queue()
    pool.load(model, events.put)
    while not isinstance(event := events.get(), Loaded):
        if isinstance(event, Failed):
            raise EngineError(event.message)
        if isinstance(event, Loading):
            loading(event.fraction)
    loading(1.0)
    rendered = render(prompt, context, event.capabilities)
    if rendered.messages:
        raise EngineError(
            f"The server of {model.name} renders its chats itself, so what stands before a response is not known. "
            'Score with a local model, or call it a base model in models.toml: kind = "base".'
        )
    pool.score(model, ScoreRequest(pool.new_key(), rendered.context, rendered.query, response, top), events.put)
    while not isinstance(answer := events.get(), Scored):
        if isinstance(answer, Failed):
            raise EngineError(answer.message)
    return answer


def likelihood(scored: Scored, response: str) -> Likelihood:
    """The totals of a scored response."""
    n_bytes = len(response.encode("utf-8", "surrogatepass"))
    logprob = float(scored.logprob.sum(dtype=float))
    marginal = int(((scored.rank > 1) & (scored.rank <= MARGINAL_RANK)).sum())
    shifted = int((scored.rank > MARGINAL_RANK).sum())
    return Likelihood(
        n_tokens=len(scored.ids),
        n_bytes=n_bytes,
        logprob=logprob,
        bits_per_byte=-logprob / math.log(2) / n_bytes if n_bytes else None,
        unshifted=len(scored.ids) - marginal - shifted,
        marginal=marginal,
        shifted=shifted,
    )
