"""`alignbench report`: the tables of a session, and what an investigation found in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds
from alignbench.cli import completion, printing
from alignbench.cli.choices import InvestigationName, ReportFormat, WordCounting
from alignbench.cli.database import reading
from alignbench.cli.options import Db, number, session_number
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from alignbench.reports.contents import Report
    from alignbench.store import Store


def report(
    session: Annotated[int, session_number()],
    investigation: Annotated[
        InvestigationName | None,
        typer.Option(help="What was found, in sentences and tables."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="The condition the others are compared with.", show_default="the session's own"),
    ] = None,
    floor: Annotated[
        str | None, typer.Option(help="The zero-shot condition.", show_default="the session's only one")
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help="Names of scores with commas between.",
            show_default="live, or the paper's own",
            autocompletion=completion.metrics,
        ),
    ] = "",
    temperatures: Annotated[
        str | None, typer.Option(metavar="T,T,...", help="A frontier over conditions that differ in temperature.")
    ] = None,
    gate: Annotated[float, number(bounds.QUALITY, "--gate", help="Least judged quality that passes the gate.")] = 3.0,
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose judgments.", show_default="who judged the most")
    ] = None,
    mode: Annotated[
        WordCounting | None,
        typer.Option(help="How texts become words.", show_default="workbench; paper for the paper's data"),
    ] = None,
    bootstrap: Annotated[
        int,
        number(bounds.RESAMPLES, "--bootstrap", metavar="N", help="Resamples of 20 prompts or more, for intervals."),
    ] = 10_000,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Of the resamples and of the shuffled null.")] = 0,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A sentence-transformers folder, or none.", show_default="the embedded MiniLM"
        ),
    ] = None,
    equivalence: Annotated[
        str, typer.Option(metavar="NAME", help="What says that two responses are one answer, as in `alignbench score`.")
    ] = "embedding",
    form: Annotated[ReportFormat, typer.Option("--format", help="What it is written as.")] = "table",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write it there, as its ending says where --format does not."
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write every figure there, as PNG and as SVG.")
    ] = None,
    db: Db = None,
) -> None:
    """Report on a session: scores, counts, findings.

    Scores have their intervals; judgments and an investigation are there where they are asked for.
    """
    from alignbench.api.reporting import make_report
    from alignbench.cli.progress import ProgressBar
    from alignbench.output_files import check_output, check_output_folder
    from alignbench.reports.writing import written

    if output is not None:
        check_output(output)
    if figures is not None:
        check_output_folder(figures)
    with reading(existing_database(db)) as store:
        with ProgressBar() as bar:
            made = make_report(
                store,
                session,
                investigation=investigation,
                temperatures=temperatures,
                reference=reference,
                floor=floor,
                metrics=metrics,
                gate=gate,
                judge=judge,
                mode=mode,
                resamples=bootstrap,
                seed=seed,
                embedder=embedder,
                equivalence=equivalence,
                progress=bar,
                say=bar.say,
            )
        if output is not None:
            write_report(store, made, output, None if form == "table" else form)
        elif form != "table":
            printing.data(written(store, made, form), end="")
    if form == "table" and output is None:
        _print(made)
    if figures is not None:
        _write_figures(made, figures)


def write_report(store: Store, report: Report, path: Path, form: str | None = None) -> None:
    """Write a report to a file; without a form, in that of its ending."""
    from alignbench.output_files import write_text
    from alignbench.reports.writing import form_of, written

    write_text(path, written(store, report, form or form_of(path)))
    printing.wrote(path)


def _write_figures(report: Report, folder: Path) -> None:
    from alignbench.reports.figures import write_figures  # not before it is used: it loads matplotlib

    for path in write_figures(report, folder):
        printing.wrote(path)


def _print(report: Report) -> None:
    from alignbench.cli.tables import print_titled
    from alignbench.reports.sections import listed, sections

    print_titled(listed(sections(report)))
