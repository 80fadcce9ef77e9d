"""Commands that are put together when they are called are those that typer makes of the app."""

from __future__ import annotations

import signal
import subprocess
import sys

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


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "ended by SIGTERM"),
        (signal.SIGHUP, 129, "ended by SIGHUP"),
    ],
)
def test_a_signal_at_the_very_start_ends_without_a_traceback(number: int, code: int, said: str) -> None:
    script = (
        "import os, sys\n"
        "class Signalled:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'alignbench.cli.app':\n"
        f"            os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Signalled())\n"
        "from alignbench.cli import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, "doctor"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", f"alignbench: {said}\n")
