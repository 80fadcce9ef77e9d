"""All commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench import __version__
from alignbench.cli import (
    attach,
    audit,
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
    versions,
)
from alignbench.cli.former_options import PilotCommand, SessionCommand
from alignbench.cli.groups import CONTEXTS, DATA, DRAW, MACHINE, MEASURE, PanelGroup, add_examples
from alignbench.cli.options import Db, Verbose, session_number
from alignbench.cli.pools import RayCommand

app = typer.Typer(
    rich_markup_mode=None,
    name="alignbench",
    help="Study what alignment does to a language model. Without a command, the workbench opens.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    cls=PanelGroup,
)
app.command("sample", rich_help_panel=DRAW)(sample.sample)
app.command("run", cls=RayCommand, rich_help_panel=DRAW)(run.run)
app.command("attach", rich_help_panel=DRAW)(attach.attach)
app.command("rerun", rich_help_panel=DRAW)(rerun.rerun)
app.command("survey", rich_help_panel=DRAW)(survey.survey)

app.command("score", cls=SessionCommand, rich_help_panel=MEASURE)(score.score)
app.command("report", rich_help_panel=MEASURE)(report.report)
app.command("judge", rich_help_panel=MEASURE)(judge.judge)
app.command("label", rich_help_panel=MEASURE)(label.label)
app.command("likelihood", rich_help_panel=MEASURE)(likelihood.likelihood)
app.command("bits", rich_help_panel=MEASURE)(bits.bits)
app.command("audit", rich_help_panel=MEASURE)(audit.audit)
app.command("ledger", cls=SessionCommand, rich_help_panel=MEASURE)(ledger.ledger)
app.command("plan", cls=PilotCommand, rich_help_panel=MEASURE)(plan.plan)
app.command("calibrate", cls=SessionCommand, rich_help_panel=MEASURE)(calibrate.calibrate)
app.command("metrics", rich_help_panel=MEASURE)(metrics.metrics)

app.command("render", cls=SessionCommand, rich_help_panel=CONTEXTS)(render.render)
app.add_typer(
    examples.app, name="examples", rich_help_panel=CONTEXTS, help="Example sets: list, show, build, import, select."
)
app.add_typer(hints.app, name="hints", rich_help_panel=CONTEXTS, help="Hints made of a session's samples: make, list.")

app.add_typer(
    sessions.app, name="sessions", rich_help_panel=DATA, help="Sessions: list, show, search, note, tag, compare."
)
app.command("versions", rich_help_panel=DATA)(versions.versions)
app.add_typer(prompts.app, name="prompts", rich_help_panel=DATA, help="Prompt sets that ship, and your own files.")
app.add_typer(importing.app, name="import", rich_help_panel=DATA, help="Import responses from elsewhere as sessions.")
app.add_typer(exporting.app, name="export", rich_help_panel=DATA, help="Export a session for other programs.")

app.add_typer(models.app, name="models", rich_help_panel=MACHINE, help="Models: list and check them.")
app.command("doctor", rich_help_panel=MACHINE)(doctor.doctor)


def _version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:  # which is what a shell's completion does
        printing.show(f"alignbench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    db: Db = None,
    _verbose: Verbose = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Study what alignment does to a language model. Without a command, the workbench opens."""
    if context.invoked_subcommand is None:
        tui(db=db)


@app.command("tui", cls=SessionCommand, rich_help_panel=MACHINE)
def tui(
    db: Db = None,
    session: Annotated[int | None, session_number(help="Open this session.")] = None,
) -> None:
    """Open the workbench."""
    from alignbench import paths
    from alignbench.engines import server_traffic
    from alignbench.tui import run_app

    server_traffic.listen(None)  # it would be written across the screen
    run_app(db or paths.default_database(), session)


add_examples(app)
