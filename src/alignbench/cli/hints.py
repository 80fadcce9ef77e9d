"""`alignbench hints`: make hints of a session's samples, and list those that are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds
from alignbench.cli import printing
from alignbench.cli.choices import HintLevel
from alignbench.cli.database import reading
from alignbench.cli.former_options import SessionCommand
from alignbench.cli.options import Db, Json, SessionArgument, model_option, number
from alignbench.errors import AlignbenchError, InputError
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import Preparer
    from alignbench.spec import Hint, Prompt
    from alignbench.store import HintRow, Store

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command(cls=SessionCommand)
def make(
    session: SessionArgument,
    condition: Annotated[str, typer.Option(help="The condition whose samples the hints tell of.")],
    level: Annotated[HintLevel, typer.Option(help="How much a hint tells.")] = "summary",
    sample: Annotated[int, number(bounds.SAMPLE, "--sample", help="Which sample of each prompt.")] = 0,
    maker: Annotated[
        str | None,
        model_option("--model", "--maker", help="The model that makes them.", show_default="the condition's own"),
    ] = None,
    template: Annotated[Path | None, typer.Option(help="What it is asked, with {prompt} and {response} in it.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Only for the prompt of this id.")] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Make a hint for each prompt of a session.

    It tells of a sample of the condition. One that was made before is not made again.
    """
    from alignbench.contexts.files import read_hint
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.context_preparer import Preparer
    from alignbench.experiments.stored_sets import session_id

    values: dict[str, object] = {"level": level, "source": {"condition": condition, "sample": sample}}
    values |= {"maker": maker} if maker else {}
    values |= {"template": {"file": str(template.resolve())}} if template else {}
    hint = read_hint(values, "alignbench hints make")
    with _store(existing_database(db)) as store:
        number = session_id(store, session)
        prompts = _prompts(store, number, prompt)
        pool = WorkerPool()
        preparer = Preparer(store, pool, number, pool)
        made = 0
        try:
            for each in prompts:
                made += _make(preparer, each, hint, as_json)
        finally:
            preparer.close()
            pool.close()
    if made < len(prompts):
        raise typer.Exit(3 if made else 1)


@app.command("list", cls=SessionCommand)
def list_hints(session: SessionArgument, db: Db = None, as_json: Json = False) -> None:
    """List the hints of a session.

    With their size, and how much of the response they give away.
    """
    from alignbench.cli.tables import print_table
    from alignbench.experiments.stored_sets import session_id

    with reading(existing_database(db)) as store:
        number = session_id(store, session)
        hints = store.hints(number)
    if as_json:
        for hint in hints:
            printing.json_data(_record(hint, hint.prompt_id or ""))
        return
    print_table(
        ("prompt", "level", "maker", "tokens", "gives away", "quotes", "hint"),
        [
            (
                hint.prompt_id or "",
                hint.level,
                hint.maker or "by hand",
                "-" if hint.n_tokens is None else str(hint.n_tokens),
                "-" if hint.give_away is None else f"{hint.give_away:.0%}",
                "-" if hint.longest_quote is None else f"{hint.longest_quote} words",
                hint.text,
            )
            for hint in hints
        ],
    )


def _make(preparer: Preparer, prompt: Prompt, hint: Hint, as_json: bool) -> bool:
    """Make one hint and print it; whether it could be made."""
    try:
        row, notes = preparer.made_hint(prompt, hint)
    except AlignbenchError as error:
        printing.say(f"prompt {prompt.id}: {error}")
        return False
    for note in notes:
        printing.say(f"prompt {prompt.id}: {note}")
    if as_json:
        printing.json_data(_record(row, prompt.id))
    else:
        printing.show(f"{prompt.id}: {row.text}")
    return True


def _record(hint: HintRow, prompt_id: str) -> dict[str, object]:
    return {
        "prompt_id": prompt_id,
        "level": hint.level,
        "text": hint.text,
        "maker": hint.maker,
        "source_condition": hint.source_condition,
        "source_sample": hint.source_sample,
        "n_tokens": hint.n_tokens,
        "give_away": hint.give_away,
        "longest_quote": hint.longest_quote,
    }


def _prompts(store: Store, session: int, id: str | None) -> list[Prompt]:
    prompts = store.prompts(session)
    chosen = [prompt for prompt in prompts if id in (None, prompt.id)]
    if not chosen:
        known = ", ".join(prompt.id for prompt in prompts[:12])
        raise InputError(f"Session {session} has no prompt {id!r}. It has: {known}.")
    return chosen


def _store(path: Path) -> Store:
    from alignbench.store import Store  # not before it is used: it loads NumPy

    return Store.open(path)
