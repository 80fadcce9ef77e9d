"""`alignbench import`: responses that were generated elsewhere become sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import paths
from alignbench.cli import printing
from alignbench.cli.options import Db, Json

if TYPE_CHECKING:
    from alignbench.importing.values import ImportedSession

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command()
def overton(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The release's data folder, or one dataset in it.")],
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import the released data of the Overton paper.

    "From Distributional to Overton Pluralism": one session a dataset.
    """
    from alignbench.overton.read import datasets

    _land(_whole(datasets(folder)), db, as_json)


def _whole(folders: Sequence[Path]) -> Iterator[ImportedSession]:
    """The datasets whose prompts and responses are there; the others are told, and an error where there is no other."""
    from alignbench.overton.read import read_dataset
    from alignbench.textfiles import MissingFile

    read = 0
    for at, folder in enumerate(folders, start=1):
        try:
            yield read_dataset(folder)
            read += 1
        except MissingFile as error:
            if at == len(folders) and not read:
                raise
            printing.say(f"{folder.name} is left out: {error}")


@app.command()
def jsonl(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help='Rows {"prompt_id", "prompt", "condition", "text"}, one a line.')
    ],
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import responses from a JSONL file as one session."""
    from alignbench.importing.jsonl import read_jsonl

    _land([read_jsonl(file)], db, as_json)


@app.command("csv")
def from_csv(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A header with prompt_id, prompt, condition, text; one response a row."),
    ],
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import responses from a CSV file as one session.

    Such as `alignbench export csv` writes.
    """
    from alignbench.importing.spreadsheets import read_csv

    _land([read_csv(file)], db, as_json)


def _land(sessions: Iterable[ImportedSession], db: Path | None, as_json: bool) -> None:
    """Each session is read whole before it is written, and written in one commit."""
    from alignbench.cli.tables import print_table
    from alignbench.importing.save import save_import
    from alignbench.store import Store

    path = db or paths.default_database()
    imports = []
    with Store.open(path) as store:
        for imported in sessions:
            for note in imported.notes:
                printing.say(f"{imported.name}: {note}")
            imports.append(save_import(store, imported))
    if as_json:
        printing.json_data([asdict(each) for each in imports])
    else:
        columns = ("session", "dataset", "samples", "errors")
        print_table(columns, [[str(getattr(each, name)) for name in columns] for each in imports])
