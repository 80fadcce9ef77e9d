"""Every action of the app, a module for each group of screens: key bindings, command palette and help are all made from
these lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.binding import Binding
from textual.screen import Screen

from alignbench.tui.action import Action
from alignbench.tui.actions.bench import BENCH, CONDITION, EDITOR, PICKER, VIEWER
from alignbench.tui.actions.contexts import AUDIT, EXAMPLE, EXAMPLES, HINT, LEDGER, SETS, VERSIONS
from alignbench.tui.actions.dialogs import CONFIRM, HELP, LINE
from alignbench.tui.actions.measures import INVESTIGATION, SCORES
from alignbench.tui.actions.sessions import EXPORT, LABEL, REPORT, SEARCH, SESSIONS, TEXT

APP = (
    Action("help", "f1", "F1", "help", "What the keys of this screen do.", footer=True, priority=True),
    Action("command_palette", "ctrl+p", "^P", "palette", "Find any action by its name.", priority=True),
    Action("quit", "ctrl+q", "^Q", "quit", "Stop what runs, keep what finished, leave.", footer=True, priority=True),
)


def bindings(scope: str, actions: Iterable[Action]) -> list[Binding]:
    """Textual bindings for a screen's actions; ids are `scope.name`. Help comes first at the bottom of every screen."""
    made = [_binding(scope, action, action.name) for action in actions]
    return made if scope == "app" else [_binding("app", APP[0], "app.help"), *made]


def _binding(scope: str, action: Action, name: str) -> Binding:
    return Binding(
        action.keys,
        name,
        action.label,
        show=action.footer,
        key_display=action.shown,
        priority=action.priority,
        tooltip=action.help,
        id=f"{scope}.{action.name}",
    )


SCOPES = {
    "app": APP,
    "bench": BENCH,
    "viewer": VIEWER,
    "prompts": PICKER,
    "editor": EDITOR,
    "condition": CONDITION,
    "examples": EXAMPLES,
    "example": EXAMPLE,
    "sets": SETS,
    "hint": HINT,
    "versions": VERSIONS,
    "audit": AUDIT,
    "ledger": LEDGER,
    "scores": SCORES,
    "investigation": INVESTIGATION,
    "sessions": SESSIONS,
    "search": SEARCH,
    "export": EXPORT,
    "text": TEXT,
    "report": REPORT,
    "label": LABEL,
    "confirm": CONFIRM,
    "line": LINE,
    "notes": LINE,
    "help": HELP,
}


def of_screen(screen: Screen[Any]) -> list[Action]:
    """The actions of a screen, found by the ids of its bindings, then those of every screen."""
    scopes = {binding.id.partition(".")[0] for _, binding in screen._bindings if binding.id} - {"app"}
    return [*(action for scope in sorted(scopes) for action in SCOPES[scope]), *APP]
