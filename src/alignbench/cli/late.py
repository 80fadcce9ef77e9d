"""The commands as typer makes them, each when it is called: reading the options of all took most of every start."""

from __future__ import annotations

import inspect
from copy import copy
from typing import Any

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

SUMMARY = 55  # characters that the summary of a command has at most


def late_group(app: Typer) -> TyperGroup:
    """The group that the app is, whose commands have no more than a name and a help text until they are called."""
    group = _group_of(app)
    for command in app.registered_commands:
        text = inspect.getdoc(command.callback)
        group.add_command(_Late(app, str(command.name), text, command.rich_help_panel))
    for commands in app.registered_groups:
        group.add_command(_Late(app, str(commands.name), commands.help, commands.rich_help_panel))
    return group


class _Late(TyperCommand):
    """A command, or a group of them, of an app."""

    def __init__(self, app: Typer, name: str, text: str | None, panel: str | None) -> None:
        super().__init__(name, help=text, rich_help_panel=panel)
        self._app = app

    def get_short_help_str(self, limit: int = SUMMARY) -> str:
        return super().get_short_help_str(limit)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        name = str(self.name)
        return _group_of(self._app, name).commands[name].make_context(info_name, args, parent, **extra)


def _group_of(app: Typer, name: str = "") -> TyperGroup:
    """The app with one command, or with none."""
    part = copy(app)
    part.registered_commands = [command for command in app.registered_commands if command.name == name]
    part.registered_groups = [commands for commands in app.registered_groups if commands.name == name]
    group = get_command(part)
    assert isinstance(group, TyperGroup)
    return group
