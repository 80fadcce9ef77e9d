"""What an action is, those that several screens share, and how key bindings, palette and help are made from them.

The actions of one screen stand beside it, in the `actions.py` of its folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from textual.binding import Binding
from textual.screen import Screen

from alignbench.tui.key_names import is_typed, shown_key


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does on one screen: the same whichever keys a person has given it.

    Attributes:
        name: The method is `action_<name>`.
        keys: Textual's names, separated by commas.
        shown: The key as people write it.
        label: One or two words.
        help: A sentence.
        footer: Whether it stands at the bottom of the screen, where a table's first ones come first: a table is in
            order of use. Where not all fit, the last ones go; F1 and the palette have them all.
        priority: Whether the key does this even where a widget that has the focus would take it.
        title: What the palette and the help call it, where the label is too short for that.
    """

    name: str
    keys: str = field(compare=False)
    shown: str = field(compare=False)
    label: str
    help: str
    footer: bool = False
    priority: bool = False
    title: str = ""

    @property
    def called(self) -> str:
        return self.title or self.label


LEAVE = Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True)
EXTERNAL_EDITOR = Action(
    "external_editor",
    "ctrl+o",
    "^O",
    "$EDITOR",
    "Write it in the editor that VISUAL or EDITOR names, and come back.",
    footer=True,
    title="write in $EDITOR",
)
PAGER = Action(
    "pager", "p", "p", "pager", "Read it in the program that PAGER names, or in less.", title="read in pager"
)


def accepting(name: str, label: str, help: str, *, enter: bool = True) -> Action:
    """The action that accepts a dialog, an editor or a composer: F10, the same everywhere.

    Args:
        name: The method is `action_<name>`.
        label: A verb: accept, pick, write.
        help: A sentence.
        enter: Whether Enter does it too, as it does where there are only a list or fields of one line.
    """
    if enter:
        return Action(name, "f10,enter", "F10/Enter", label, help, footer=True, priority=True)
    return Action(name, "f10", "F10", label, help, footer=True)


WRITING = (accepting("accept", "accept", "Take what is written here.", enter=False), LEAVE, EXTERNAL_EDITOR)
LINES = (
    Action("line_up", "up,k", "↑", "up", "Up by a line; k too."),
    Action("line_down", "down,j", "↓", "down", "Down by a line; j too."),
)
SCROLLING = (
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
    Action("to_start", "home", "Home", "to the start", "Scroll to the start."),
    Action("to_end", "end", "End", "to the end", "Scroll to the end."),
)
PAGING = (
    Action("page_down", "pagedown", "PgDn", "page down", "Down by a page."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page."),
)
LIST = (
    Action("list_up", "up,k", "↑", "up", "The line above; k too."),
    Action("list_down", "down,j", "↓", "down", "The next line; j too."),
    Action("list_start", "home", "Home", "first line", "The first line."),
    Action("list_end", "end", "End", "last line", "The last line."),
)
TYPED_LIST = (  # below a line of text, which takes letters
    Action("list_up", "up", "↑", "up", "The line above."),
    Action("list_down", "down", "↓", "down", "The next line."),
    Action("list_start", "home", "Home", "first line", "The first line.", priority=True),
    Action("list_end", "end", "End", "last line", "The last line.", priority=True),
    *PAGING,
)
VERSION_STEPS = (
    Action("older_version", "less_than_sign", "<", "older version", "The version of this column before this one."),
    Action("newer_version", "greater_than_sign", ">", "newer version", "The version of this column after this one."),
)
INVESTIGATE = Action(
    "investigation",
    "I",
    "I",
    "diversity",
    "Investigation 1: what moved between base, in-context and aligned columns, over all prompts of the session.",
    title="investigation 1",
)
APP = (
    Action("help", "f1", "F1", "help", "What the keys of this screen do.", footer=True, priority=True),
    Action("undo", "u", "u", "undo", "Bring back what was taken away, or left with changes, up to 10 seconds ago."),
    Action("command_palette", "ctrl+p", "^P", "palette", "Find any action by its name.", priority=True),
    Action("quit", "ctrl+q", "^Q", "quit", "Stop what runs, keep what finished, leave.", footer=True, priority=True),
)

SCOPES: dict[str, tuple[Action, ...]] = {}  # what the bindings of a screen that was imported were made from, by scope


def bindings(scope: str, actions: Iterable[Action]) -> list[Binding]:
    """Textual bindings for a screen's actions; ids are `scope.name`. Help comes first at the bottom of every screen."""
    SCOPES[scope] = tuple(actions)
    made = [_binding(scope, action) for action in SCOPES[scope]]
    if scope == "app":
        return made
    asked = Binding("question_mark", "app.help", show=False, id="app.help?")  # where no text is typed
    return [_binding("app", APP[0], "app.help"), asked, *made]


def _binding(scope: str, action: Action, name: str = "") -> Binding:
    return Binding(
        action.keys,
        name or action.name,
        action.label,
        show=action.footer,
        key_display=action.shown,
        priority=action.priority,
        tooltip=action.help,
        id=f"{scope}.{action.name}",
    )


def of_screen(screen: Screen[Any]) -> list[Action]:
    """The actions of a screen, found by the ids of its bindings, then those of every screen; each with the user's own
    keys, where there are some."""
    own_keys: Mapping[str, str] = getattr(screen.app, "own_keys", {})
    ids = {binding.action: binding.id for _, binding in screen._bindings if binding.id}
    return [
        with_keys(action, own_keys.get(f"app.{action.name}" if action in APP else ids.get(action.name) or "", ""))
        for action in _of_screen(screen)
    ]


def with_keys(action: Action, keys: str) -> Action:
    """An action on other keys, Textual's names with commas between; the same where there are none."""
    if not keys:
        return action
    return replace(action, keys=keys, shown="/".join(shown_key(key) for key in keys.split(",")))


def is_reached(screen: Screen[Any], action: Action) -> bool:
    """Whether an action has a key that does not go into a text which is being typed. Textual asks it of the keys that a
    binding has by default, too."""
    default = [key for key, binding in screen._bindings if binding.action == action.name]
    return action.priority or all(
        any(not is_typed(key) for key in keys) for keys in (default, action.keys.split(",")) if keys
    )


def _of_screen(screen: Screen[Any]) -> list[Action]:
    scopes = {binding.id.partition(".")[0] for _, binding in screen._bindings if binding.id} - {"app"}
    own = {action.name: action for scope in sorted(scopes, reverse=True) for action in reversed(SCOPES[scope])}
    return [*reversed(own.values()), *APP]
