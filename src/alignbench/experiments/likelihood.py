"""The log-probs of a given response under a model and a context, outside of any run."""

from __future__ import annotations

from alignbench.contexts.rendering import Content, render, why_no_text
from alignbench.contexts.source_samples import unknown_conditions
from alignbench.engines.blocking import loaded, scored
from alignbench.engines.protocol import EnginePool, Scored
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError, InputError
from alignbench.experiments.scratch_preparer import trial_preparer
from alignbench.progress import Progress, silent
from alignbench.spec import Condition, Context, Model, Prompt, Sampling


def score_response(
    pool: EnginePool,
    model: Model,
    context: Context,
    prompt: Prompt,
    response: str,
    top: int = 5,
    progress: Progress = silent,
    content: Content | None = None,
) -> Scored:
    """Teacher force a response, with how likely it is to end there; waits for the model to load.

    Raises EngineError, or InputError from the context.

    Args:
        pool: loads the model.
        model: reads the response.
        context: surrounds the prompt.
        prompt: what is responded to.
        response: whose tokens get log-probs.
        top: alternatives to report for each token.
        progress: told what is done; what it raises is raised here.
        content: the context's examples and hint for this prompt (`content_for`); None: those that it holds itself.
    """
    capabilities = loaded(pool, model, progress)
    progress(f"{model.name} reads the response", 0, 1)
    rendered = render(prompt, context, capabilities, content, as_text=True)
    if why_not := why_no_text(rendered, capabilities):
        raise EngineError(
            f"What stands before a response of {model.name} is not known: {why_not}. "
            'Score with a local model, or call it a base model in models.toml: kind = "base".'
        )
    return scored(pool, model, rendered.context, rendered.query, response, top, rendered.closings)


def content_for(pool: WorkerPool, model: Model, context: Context, prompt: Prompt) -> Content:
    """The examples and hint of a context for a prompt outside of any session, selected and fitted to the window.

    Raises EngineError, and InputError for a context made of samples, which only a session has.
    """
    if unknown := unknown_conditions([context], None, []):
        raise InputError(
            f"The context {context.name!r} is made of samples of {unknown[0]!r}, which only a session has; expected "
            "one whose examples and hint are given."
        )
    condition = Condition(model.name, model, context, Sampling(max_tokens=1))
    with trial_preparer(pool, None, None) as preparer:
        return preparer.compose(prompt, condition).content
