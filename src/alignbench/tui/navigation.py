"""Which screen stands behind each name, and what is done with what it gives back."""

from __future__ import annotations

from typing import Any

from textual.app import App

from alignbench.errors import InputError
from alignbench.tui.messages import Open
from alignbench.tui.notices import tell
from alignbench.tui.screen import do, finish
from alignbench.tui.workbench.context_edits import composable_column, give_context
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import SamplePlace

NO_COLUMN = "There is no column. a adds one."


async def open_screen(app: App[Any], workbench: Workbench, wanted: Open) -> None:
    """Open a screen and wait for what it gives back. InputError where there is nothing to open it on."""
    bench = workbench.bench
    match wanted.screen:
        case "viewer":
            if bench.sample is None:
                raise InputError("There is no sample to view here. F5 draws some.")
            from alignbench.tui.viewer.screen import ViewerScreen

            app.push_screen(ViewerScreen(workbench))
        case "scores":
            from alignbench.tui.scores.screen import ScoresScreen

            app.push_screen(ScoresScreen(workbench))
        case "investigation":
            from alignbench.tui.investigation.screen import InvestigationScreen

            app.push_screen(InvestigationScreen(workbench))
        case "ledger":
            from alignbench.tui.ledger.screen import LedgerScreen

            selected = bench.selected
            await app.push_screen_wait(LedgerScreen(workbench, wanted.sample))
            bench.select(selected)
            workbench.changed()
        case "notes":
            from alignbench.tui.sessions.notes_dialog import NotesScreen

            await app.push_screen_wait(NotesScreen(workbench))
        case "audit":
            from alignbench.tui.audit.screen import AuditScreen

            if bench.column is None:
                raise InputError(NO_COLUMN)
            app.push_screen(AuditScreen(workbench))
        case "survey":
            from alignbench.tui.survey.screen import SurveyScreen

            app.push_screen(SurveyScreen(workbench))
        case "versions":
            await _choose_version(app, workbench)
        case "examples" | "hint":
            await _compose(app, workbench, wanted)
        case "sessions":
            await _choose_session(app, workbench)


async def _choose_version(app: App[Any], workbench: Workbench) -> None:
    from alignbench.tui.versions.screen import VersionsScreen

    bench = workbench.bench
    if bench.idle_column() is None:
        raise InputError(NO_COLUMN)
    version = await app.push_screen_wait(VersionsScreen(workbench))
    if version is not None:
        if said := bench.show_version(version):
            tell(app, said)
        do(app, workbench, workbench.save())


async def _compose(app: App[Any], workbench: Workbench, wanted: Open) -> None:
    """A context for the selected column; its samples without it stay, as a version."""
    from alignbench.tui.context.examples_screen import ExamplesScreen
    from alignbench.tui.context.hint_screen import HintScreen

    if (column := composable_column(workbench.bench)) is None:
        raise InputError(NO_COLUMN)
    composer = ExamplesScreen if wanted.screen == "examples" else HintScreen
    context = await app.push_screen_wait(composer(workbench, column))
    if context is not None and context != column.condition.context:
        tell(app, give_context(workbench.bench, column, context))
        do(app, workbench, workbench.save())


async def _open_sample(app: App[Any], workbench: Workbench, session: int, place: SamplePlace) -> None:
    """A stored sample in the viewer, and behind it the Bench at its prompt, column and version."""
    if session != workbench.bench.session:
        await workbench.open(session, place)
    else:
        workbench.bench.go_to(place)
        await workbench.save()
    if workbench.bench.sample is not None:
        await open_screen(app, workbench, Open("viewer"))


async def _choose_session(app: App[Any], workbench: Workbench) -> None:
    from alignbench.tui.sessions.screen import NEW, SessionsScreen

    chosen = await app.push_screen_wait(SessionsScreen(workbench))
    if chosen == NEW:
        await finish(app, workbench, workbench.renew())
    elif chosen is not None and chosen.place is not None:
        await finish(app, workbench, _open_sample(app, workbench, chosen.session, chosen.place))
    elif chosen is not None and chosen.session != workbench.bench.session:
        await finish(app, workbench, workbench.open(chosen.session))
    else:
        workbench.changed()
