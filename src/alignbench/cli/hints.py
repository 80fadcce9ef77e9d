"""`alignbench hints`: make hints of a session's samples, and list those that are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from alignbench import bounds
from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, Json, number
from alignbench.errors import AlignbenchError, InputError
from alignbench.paths import existing_database
from alignbench.spec import Level

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import Preparer
    from alignbench.spec import Hint, Prompt
    from alignbench.store import HintRow, Store

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

SessionOption = Annotated[str, typer.Option(help="The session, by number or name.")]


@app.command()
def make(
    session: SessionOption,
    condition: Annotated[str, typer.Option(help="The condition whose samples the hints tell of.")],
    level: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Level)[:-1])}.")] = "summary",
    sample: Annotated[int, number(bounds.SAMPLE, "--sample", help="Which sample of each prompt.")] = 0,
    maker: Annotated[str | None, typer.Option(help="The model that makes them.", show_default="its own")] = None,
    template: Annotated[Path | None, typer.Option(help="What it is asked, with {prompt} and {response} in it.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Only for the prompt of this id.")] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Make a hint of a sample for each prompt of a session; one that was made before is not made again."""
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


@app.command("list")
def list_hints(session: SessionOption, db: Db = None, as_json: Json = False) -> None:
    """List the hints of a session, with their size and how much of the response they give away."""
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
