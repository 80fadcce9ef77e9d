"""How likely a given response is under a model and a context, token by token."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from dataclasses import dataclass

from alignbench.contexts.rendering import Content, render
from alignbench.contexts.source_samples import unknown_conditions
from alignbench.engines.blocking import loaded
from alignbench.engines.protocol import EnginePool, Failed, LikelihoodRequest, Scored
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError, InputError
from alignbench.experiments.scratch_preparer import trial_preparer
from alignbench.metrics.likelihood import MARGINAL_RANK
from alignbench.spec import Condition, Context, Model, Prompt, Sampling


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
    content: Content | None = None,
) -> Scored:
    """Teacher force a response; waits for the model to load. Raises EngineError, or InputError from the context.

    loading: told how much of the model is loaded, 0 to 1; what it raises is raised here. content: what stands in the
    context for this prompt (`content_for`); without it, what the context itself holds.
    """
    capabilities = loaded(pool, model, loading)
    loading(1.0)
    rendered = render(prompt, context, capabilities, content)
    if rendered.messages:
        raise EngineError(
            f"The server of {model.name} renders its chats itself, so what stands before a response is not known. "
            'Score with a local model, or call it a base model in models.toml: kind = "base".'
        )
    return score_after(pool, model, rendered.context, rendered.query, response, top)


def score_after(pool: EnginePool, model: Model, context: str, query: str, response: str, top: int = 5) -> Scored:
    """Teacher force a response after a text that a loaded model has seen, `context` and `query` joined. EngineError."""
    answers: queue.SimpleQueue[Scored | Failed] = queue.SimpleQueue()
    pool.score(model, LikelihoodRequest(pool.new_key(), context, query, response, top), answers.put)
    answer = answers.get()
    if isinstance(answer, Failed):
        raise EngineError(answer.message)
    return answer


def content_for(pool: WorkerPool, model: Model, context: Context, prompt: Prompt) -> Content:
    """What stands in a context for a prompt outside of any session: examples are selected and fitted to the window.

    Raises InputError or EngineError where that cannot be done, as of samples that only a session has.
    """
    if unknown := unknown_conditions([context], None, []):
        raise InputError(
            f"The context {context.name!r} is made of samples of {unknown[0]!r}, which only a session has; expected "
            "one whose examples and hint are given."
        )
    condition = Condition(model.name, model, context, Sampling(max_tokens=1))
    with trial_preparer(pool, None, None) as preparer:
        return preparer.compose(prompt, condition).content


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
