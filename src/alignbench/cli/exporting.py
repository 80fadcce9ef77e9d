"""`alignbench export`: a session for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from alignbench.cli.options import Db
from alignbench.cli.scoring import existing_database
from alignbench.errors import AlignbenchError

if TYPE_CHECKING:
    from alignbench.store import Store

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Session = Annotated[int, typer.Argument(metavar="SESSION", help="A session in the database.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write there, not to stdout.")]


@app.command()
def jsonl(session: Session, output: Output = None, db: Db = None) -> None:
    """Export the samples as JSON lines, which `alignbench import jsonl` reads."""
    from alignbench.exporting.samples import write_jsonl

    _export(write_jsonl, session, output, db)


@app.command("csv")
def as_csv(session: Session, output: Output = None, db: Db = None) -> None:
    """Export the samples as CSV, safe to open in a spreadsheet."""
    from alignbench.exporting.samples import write_csv

    _export(write_csv, session, output, db)


@app.command()
def overton(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where a folder called as the session is made.")],
    db: Db = None,
) -> None:
    """Export a session in the layout of the paper's released data, which `alignbench import overton` reads."""
    from alignbench.exporting.overton import export_overton
    from alignbench.store import Store

    with Store.open(existing_database(db)) as store:
        print(f"wrote {export_overton(store, session, folder)}", file=sys.stderr)


def _export(write: Callable[[Store, int, IO[str]], None], session: int, output: Path | None, db: Path | None) -> None:
    from alignbench.store import Store

    with Store.open(existing_database(db)) as store:
        store.session(session)
        if output is None:
            write(store, session, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8", newline="") as file:
                write(store, session, file)
        except OSError as error:
            raise AlignbenchError(f"{output} cannot be written: {error.strerror or error}.") from None
    print(f"wrote {output}", file=sys.stderr)
