"""All commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench import __version__, bounds
from alignbench.cli import (
    attach,
    bits,
    calibrate,
    doctor,
    examples,
    exporting,
    hints,
    importing,
    judge,
    label,
    ledger,
    likelihood,
    metrics,
    models,
    plan,
    printing,
    prompts,
    render,
    report,
    rerun,
    run,
    sample,
    score,
    sessions,
    survey,
)
from alignbench.cli.options import Db, number
from alignbench.cli.pools import RayCommand

app = typer.Typer(
    rich_markup_mode=None,
    name="alignbench",
    help="Study what alignment does to a language model. Without a command, the workbench opens.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(
    sessions.app, name="sessions", help="Sessions in the database: list, search, tag, merge, compare, back up."
)
app.add_typer(prompts.app, name="prompts", help="Prompt sets that ship, and your own files.")
app.add_typer(models.app, name="models", help="Models: what is there, and whether it is sound.")
app.add_typer(importing.app, name="import", help="Responses from elsewhere: files of other programs.")
app.add_typer(examples.app, name="examples", help="Example sets: what ships, your own, and what would be selected.")
app.add_typer(hints.app, name="hints", help="Hints: made of a session's samples, and listed.")
app.command("render")(render.render)
app.add_typer(exporting.app, name="export", help="A session for other programs: JSON lines, CSV, the paper's layout.")
app.command("sample")(sample.sample)
app.command("survey")(survey.survey)
app.command("run", cls=RayCommand)(run.run)
app.command("attach")(attach.attach)
app.command("rerun")(rerun.rerun)
app.command("report")(report.report)
app.command("score")(score.score)
app.command("calibrate")(calibrate.calibrate)
app.command("plan")(plan.plan)
app.command("judge")(judge.judge)
app.command("label")(label.label)
app.command("metrics")(metrics.metrics)
app.command("ledger")(ledger.ledger)
app.command("likelihood")(likelihood.likelihood)
app.command("bits")(bits.bits)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        printing.show(f"alignbench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    db: Db = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Study what alignment does to a language model. Without a command, the workbench opens."""
    if context.invoked_subcommand is None:
        tui(db=db)


@app.command("tui")
def tui(
    db: Db = None,
    session: Annotated[int | None, number(bounds.SESSION, "--session", help="Open this session.")] = None,
) -> None:
    """Open the workbench."""
    from alignbench import paths
    from alignbench.tui import run_app

    run_app(db or paths.default_database(), session)
