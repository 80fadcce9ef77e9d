"""`alignbench calibrate`: how often the findings of a report are wrong, from planted experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds
from alignbench.cli import printing
from alignbench.cli.database import reading
from alignbench.cli.options import Db, Json, number, session_number
from alignbench.errors import InputError
from alignbench.machine import usable_cores
from alignbench.paths import existing_database

if TYPE_CHECKING:
    from alignbench.calibration.planted import TextSource
    from alignbench.calibration.tally import Calibration


def calibrate(
    session: Annotated[int | None, session_number(help="Draw on the responses of this session.")] = None,
    condition: Annotated[str | None, typer.Option(metavar="NAME", help="Of which condition.")] = None,
    prompts: Annotated[str, typer.Option(metavar="N,N,...", help="Prompts of a repetition.")] = "5,10,20,50",
    n: Annotated[int, number(bounds.COMPARED_SAMPLES, "-n", help="Samples of a prompt.")] = 5,
    repetitions: Annotated[
        int, number(bounds.REPETITIONS, "--repetitions", help="Of each experiment at each number of prompts.")
    ] = 1_000,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Of what is planted and drawn.")] = 0,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write Markdown, in place of the tables that it has."),
    ] = None,
    db: Db = None,
) -> None:
    """Count how often findings are wrong.

    Nulls and effects are planted in made responses, or in those of a session. It takes minutes.
    """
    from alignbench.calibration.calibrate import CalibrationRequest
    from alignbench.calibration.calibrate import calibrate as calibrated
    from alignbench.calibration.to_json import calibration_json
    from alignbench.cli.progress import ProgressBar
    from alignbench.output_files import check_output

    source = _source(session, condition, db)
    if output is not None:
        check_output(output)
        _page_before(output)
    request = CalibrationRequest(_numbers(prompts), n, repetitions, seed, source)
    with ProgressBar(narrated=True) as bar:
        calibration = calibrated(request, bar, processes=usable_cores())
    if output is not None:
        _write(calibration, output)
    if as_json:
        printing.json_data(calibration_json(calibration))
    elif output is None:
        _print(calibration)


def _numbers(prompts: str) -> tuple[int, ...]:
    return tuple(sorted({int(bounds.PROMPTS.read("a number of --prompts", piece)) for piece in prompts.split(",")}))


def _source(session: int | None, condition: str | None, db: Path | None) -> TextSource:
    from alignbench.calibration.made_texts import MadeTexts
    from alignbench.calibration.stored_texts import stored_texts

    if session is None and condition is None:
        return MadeTexts()
    if session is None or condition is None:
        raise InputError("SESSION and --condition go together: responses are drawn from one condition of a session.")
    with reading(existing_database(db)) as store:
        return stored_texts(store, session, condition)


def _write(calibration: Calibration, path: Path) -> None:
    from alignbench.calibration.page import page
    from alignbench.output_files import write_text

    write_text(path, page(calibration, _page_before(path)))
    printing.wrote(path)


def _page_before(path: Path) -> str:
    """What the page holds already, which stays around the tables; empty for a new one, and for a pipe."""
    from alignbench.textfiles import read_utf8

    return read_utf8(path) if path.is_file() else ""


def _print(calibration: Calibration) -> None:
    from alignbench.calibration.sections import calibration_sections
    from alignbench.cli.tables import print_table
    from alignbench.reports.sections import listed

    for section in listed(calibration_sections(calibration)):
        printing.show(f"\n{section.title}")
        if section.columns:
            print_table(section.columns, section.rows)
        for note in section.notes:
            printing.show(f"- {note}")
