"""`alignbench sessions`: what is in the database, found, tagged, merged, compared, backed up and deleted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, Json, number, session_number
from alignbench.errors import InputError
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from alignbench.store import Store

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

SessionId = Annotated[int, session_number()]

Tags = Annotated[list[str], typer.Argument(metavar="TAG...", help="One or more tags.")]

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WORD]...", help="Only those with all of these in name, tags or models; #WORD in a tag."),
]


@app.command("list")
def list_sessions(words: Words = None, db: Db = None, json_lines: Json = False) -> None:
    """List the sessions, newest first, or some of them."""
    path = db or paths.default_database()
    if not path.exists():
        printing.say(f"No sessions yet: there is no database at {path}.")
        return
    from alignbench.cli import sessions_view
    from alignbench.store.session_filter import matches

    with reading(path) as store:
        every = store.sessions()
    sessions = [each for each in every if matches(each, " ".join(words or ()))]
    if not every:
        printing.say(f"No sessions yet in {path}.")
    elif not sessions:
        printing.say(f"No session of {len(every)} has these words in its name, tags or models.")
    elif json_lines:
        for session in sessions:
            printing.data(sessions_view.to_json(session))
    else:
        sessions_view.print_table(sessions)


@app.command()
def show(session_id: SessionId, db: Db = None, json_object: Json = False) -> None:
    """Show a session: its conditions and every sample."""
    from alignbench.cli import sessions_view

    with reading(existing_database(db)) as store:
        if json_object:
            printing.data(sessions_view.session_json(store, session_id))
        else:
            sessions_view.print_session(store, session_id)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='Words, all of them; "words in quotes" side by side.')],
    limit: Annotated[int, number(bounds.LIMIT, "--limit", metavar="N", help="Show the newest N.")] = 20,
    db: Db = None,
    json_lines: Json = False,
) -> None:
    """Find samples of all sessions by their words.

    Newest first.
    """
    from alignbench.cli.tables import print_table

    with reading(existing_database(db)) as store:
        hits = store.search(text, limit + 1)
    shown = hits[:limit]
    if json_lines:
        for each in shown:
            printing.json_data(asdict(each))
    elif shown:
        columns = ("session", "prompt_id", "condition", "sample", "snippet")
        print_table(columns, [[str(getattr(each, column)) for column in columns] for each in shown])
    if not shown:
        printing.say("No sample has these words.")
    elif len(hits) > limit:
        printing.say(f"These are the newest {limit}; --limit shows more.")


@app.command()
def rename(
    session_id: SessionId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name from now on.")],
    db: Db = None,
) -> None:
    """Give a session another name.

    Until then it is called by its date, prompts and models.
    """
    with _store(existing_database(db)) as store:
        store.rename_session(session_id, name)


@app.command()
def note(
    session_id: SessionId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be remembered.")],
    db: Db = None,
) -> None:
    """Add a note to a session, which `show` prints."""
    with _store(existing_database(db)) as store:
        store.add_note(session_id, text)


@app.command()
def tag(session_id: SessionId, tags: Tags, db: Db = None) -> None:
    """Put tags on a session, which `list` shows."""
    with _store(existing_database(db)) as store, store.together():
        for each in tags:
            store.tag_session(session_id, each)


@app.command()
def untag(session_id: SessionId, tags: Tags, db: Db = None) -> None:
    """Take tags off a session."""
    with _store(existing_database(db)) as store, store.together():
        for each in tags:
            store.untag_session(session_id, each)


@app.command()
def merge(
    session_ids: Annotated[list[int], session_number(metavar="SESSION SESSION...", help="Two or more sessions.")],
    name: Annotated[
        str | None, typer.Option(help="Of the new session.", show_default="the names, with + between")
    ] = None,
    db: Db = None,
) -> None:
    """Make a new session of all that is in others.

    Prints its number. Conditions with the same settings are joined, and so are prompts with the same id and text.
    Where a name stands for
    two things, that of the later session gets its number, NAME@ID. Of two samples in one place, that of the session
    named first stays, and how many are left out is said; imported responses are all kept.
    """
    with _store(existing_database(db)) as store:
        merged = store.merge_sessions(session_ids, name or " + ".join(store.session(id).name for id in session_ids))
        info, sources = store.session(merged), store.sources_of(merged)
    printing.show(str(merged))
    printing.say(f"Session {merged} has {info.n_samples} samples of {info.n_conditions} conditions.")
    for source in sources:
        if source.words:
            printing.say(source.words)


@app.command()
def compare(
    first: Annotated[int, session_number()],
    second: Annotated[int, session_number()],
    db: Db = None,
    json_object: Json = False,
) -> None:
    """Compare two sessions.

    Which prompts, conditions and settings differ, and which texts are the same.
    """
    from alignbench.cli import sessions_view
    from alignbench.session_diff import compare_sessions

    with reading(existing_database(db)) as store:
        diff = compare_sessions(store, first, second)
    if json_object:
        printing.json_data(asdict(diff))
    else:
        sessions_view.print_diff(diff)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")], db: Db = None
) -> None:
    """Copy the database as it is at this moment.

    Others may write to it meanwhile.
    """
    with reading(existing_database(db)) as store:
        store.backup(file)
    printing.wrote(file)


@app.command()
def delete(
    session_id: SessionId,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a session with everything that belongs to it."""
    with _store(existing_database(db)) as store:
        session = store.session(session_id)
        samples = "1 sample" if session.n_samples == 1 else f"{session.n_samples} samples"
        what = f"session {session.id} ({session.name}) with {samples}"
        if not yes:
            if not printing.can_ask():
                raise InputError(f"Deleting {what} needs --yes where nobody can be asked.")
            if not printing.agreed(f"Delete {what}?"):
                raise typer.Abort
        store.delete_session(session_id)
    printing.say(f"Deleted {what}.")


def _store(path: Path) -> Store:
    from alignbench.store import Store  # not before it is used: it loads NumPy

    return Store.open(path)
