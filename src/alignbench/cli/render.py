"""`alignbench render`: the exact text that a model gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import completion, printing
from alignbench.cli.options import Db, Verbose, model_option, number, session_number
from alignbench.errors import InputError
from alignbench.spec import Condition, Context, Prompt, Sampling, default_context

if TYPE_CHECKING:
    from alignbench.contexts.preview import Preview

_MAX_TOKENS = Sampling().max_tokens


def render(
    prompt: Annotated[str, typer.Option(help="The prompt.")],
    context: Annotated[
        str | None,
        typer.Option(
            help="A context: a name or a TOML file.",
            metavar="NAME|FILE",
            show_default="none",
            autocompletion=completion.contexts,
        ),
    ] = None,
    model: Annotated[
        str | None,
        model_option("--model", help="The model that gets it; it counts the tokens and has the chat template."),
    ] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Token ids in place of the text, as a JSON list.")] = False,
    session: Annotated[int | None, session_number(help="The session whose samples the context is made of.")] = None,
    max_tokens: Annotated[
        int, number(bounds.MAX_TOKENS, "--max-tokens", help="Most tokens of a response, for the window.")
    ] = _MAX_TOKENS,
    db: Db = None,
    _verbose: Verbose = False,
) -> None:
    """Write the exact text that a model gets for a prompt.

    Byte for byte; on stderr, the tokens of each part.
    """
    from alignbench.cli.typed_prompts import typed_text
    from alignbench.contexts.files import load_context
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.prompts import typed_prompt

    question = typed_prompt(typed_text(prompt))
    path = db or paths.default_database()
    around = load_context(context, StoredSets(path)) if context is not None else None
    if model is None:
        if ids:
            raise InputError("--ids needs --model: tokens are the model's.")
        printing.exact(_without_model(question, around or Context("plain")))
        return
    _with_model(question, around, model, session, ids, max_tokens, db)


def _without_model(prompt: Prompt, context: Context) -> str:
    from alignbench.contexts.rendering import NO_MODEL
    from alignbench.contexts.rendering import render as rendered

    if context.template == "chat":
        raise InputError("--model is missing; the chat template is the model's own.")
    return rendered(prompt, context, NO_MODEL).text


def _with_model(
    prompt: Prompt, context: Context | None, model: str, session: int | None, ids: bool, max_tokens: int, db: Db
) -> None:
    from alignbench.contexts.rendering import render as rendered
    from alignbench.engines.blocking import loaded
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.scratch_preparer import check_session, trial_preparer
    from alignbench.models.catalog import resolve

    used = resolve(model)
    around = context or default_context(used)
    check_session(around, session)
    condition = Condition(used.name, used, around, Sampling(max_tokens=max_tokens))
    pool = WorkerPool()
    try:
        with trial_preparer(pool, db or paths.default_database(), session) as preparer:
            prepared = preparer.compose(prompt, condition)
            text = rendered(prompt, around, loaded(pool, used), prepared.content).text
    finally:
        pool.close()
    for note in prepared.notes:
        printing.say(note)
    if prepared.preview is not None:
        _show(prepared.preview)
    if not ids:
        printing.exact(text)
    elif prepared.preview is None:
        raise InputError(f"{used.name} is behind a server, whose tokens are not known.")
    else:
        printing.json_data(list(prepared.preview.ids))


def _show(shown: Preview) -> None:
    for part in shown.parts:
        name = f"{part.kind} {part.number}" if part.number else part.kind
        printing.say(f"{name:<14}{part.n_tokens:>7} tokens")
    window = f" of {shown.window}, {shown.share:.1%} with the response" if shown.share is not None else ""
    printing.say(f"{'together':<14}{shown.n_tokens:>7} tokens{window}")
