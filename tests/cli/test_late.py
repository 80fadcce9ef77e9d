"""Commands that are put together when they are called are those that typer makes of the app."""

from __future__ import annotations

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from alignbench.cli.app import app
from alignbench.cli.late import late_group

EAGER = get_command(app)
assert isinstance(EAGER, TyperGroup)


def test_the_help_of_all_commands_is_the_same() -> None:
    late = late_group(app)
    assert late.get_help(Context(late, info_name="x")) == EAGER.get_help(Context(EAGER, info_name="x"))


def test_no_option_of_a_command_is_read_before_it_is_called() -> None:
    assert not any(command.params for command in late_group(app).commands.values())


@pytest.mark.parametrize("name", EAGER.commands)
def test_a_command_that_is_called_is_whole(name: str) -> None:
    late, eager = (
        group.commands[name].make_context(name, [], Context(group), resilient_parsing=True)
        for group in (late_group(app), EAGER)
    )
    assert late.command.get_help(late) == eager.command.get_help(eager)
    assert type(late.command) is type(eager.command)
