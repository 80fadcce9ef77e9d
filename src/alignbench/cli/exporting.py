"""`alignbench export`: a session for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, session_number
from alignbench.paths import existing_database

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

SessionNumber = Annotated[int, session_number()]
Conditions = Annotated[list[str] | None, typer.Option("--condition", metavar="NAME", help="Only this one; repeatable.")]
Prompts = Annotated[list[str] | None, typer.Option("--prompt", metavar="ID", help="Only this one; repeatable.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write there, not to stdout.")]


@app.command()
def jsonl(
    session: SessionNumber,
    condition: Conditions = None,
    prompt: Prompts = None,
    output: Output = None,
    db: Db = None,
) -> None:
    """Export the samples as JSON lines.

    `alignbench import jsonl` reads them.
    """
    _export(".jsonl", session, condition, prompt, output, db)


@app.command("csv")
def as_csv(
    session: SessionNumber,
    condition: Conditions = None,
    prompt: Prompts = None,
    output: Output = None,
    db: Db = None,
) -> None:
    """Export the samples as CSV, safe for spreadsheets.

    `alignbench import csv` reads it.
    """
    _export(".csv", session, condition, prompt, output, db)


@app.command()
def overton(
    session: SessionNumber,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where a folder called as the session is made.")],
    db: Db = None,
) -> None:
    """Export a session in the layout of the paper's data.

    `alignbench import overton` reads it.
    """
    from alignbench.overton.write import export_overton

    with reading(existing_database(db)) as store:
        printing.wrote(export_overton(store, session, folder))


@app.command("inspect")
def as_inspect(
    session: SessionNumber,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A log of one condition, FILE.eval or FILE.json, or a new folder."
        ),
    ],
    condition: Conditions = None,
    prompt: Prompts = None,
    db: Db = None,
) -> None:
    """Export logs that `inspect view` opens.

    A log is of one condition; a folder gets one of each. Needs inspect_ai, of the extra inspect.
    """
    from alignbench.exporting.inspect_log import export_inspect
    from alignbench.exporting.samples import SampleFilter

    with reading(existing_database(db)) as store:
        store.session(session)
        printing.wrote(export_inspect(store, session, SampleFilter(condition or (), prompt or ()), output))


@app.command("hf")
def as_dataset(
    session: SessionNumber,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="A new folder for the dataset.")],
    condition: Conditions = None,
    prompt: Prompts = None,
    db: Db = None,
) -> None:
    """Export a dataset that `datasets` loads, with a card."""
    from alignbench.exporting.dataset import export_dataset
    from alignbench.exporting.samples import SampleFilter

    with reading(existing_database(db)) as store:
        store.session(session)
        printing.wrote(export_dataset(store, session, SampleFilter(condition or (), prompt or ()), output))


def _export(
    ending: str,
    session: int,
    conditions: list[str] | None,
    prompts: list[str] | None,
    output: Path | None,
    db: Path | None,
) -> None:
    from alignbench.exporting.samples import WRITERS, SampleFilter, export_file, sample_rows

    selection = SampleFilter(conditions or (), prompts or ())
    with reading(existing_database(db)) as store:
        store.session(session)
        if output is None:
            WRITERS[ending](sample_rows(store, session, selection), printing.data_file())
            return
        export_file(store, session, selection, output, ending)
    printing.wrote(output)
