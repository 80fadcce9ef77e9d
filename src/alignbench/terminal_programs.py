"""The programs that a person edits and reads with, as the environment names them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from alignbench.errors import InputError


def editor() -> list[str]:
    """The command of the editor. InputError where none is set."""
    command = program_of("VISUAL") or program_of("EDITOR")
    if not command:
        raise InputError("No editor is set: VISUAL or EDITOR names one, such as EDITOR=nano.")
    return command


def program_of(variable: str) -> list[str]:
    """A command as a variable of the environment has it; empty where it has none. InputError for one that no shell
    can read."""
    value = os.environ.get(variable, "")
    try:
        return shlex.split(value)
    except ValueError:
        raise InputError(f"{variable} is {value!r}, which no shell can read: a quote is not closed.") from None


def run_program(command: Sequence[str], shown: bytes | None = None) -> str:
    """Run a program on the terminal until it ends; why it failed, else empty. shown: what it reads on stdin."""
    screen = None if os.isatty(1) else 2  # stdout may be a file: the app draws on stderr
    try:
        program = subprocess.Popen(command, stdin=subprocess.PIPE if shown is not None else None, stdout=screen)
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror or error}."
    with program:
        if program.stdin is not None and shown is not None:
            with suppress(BrokenPipeError):  # whoever has read enough leaves
                program.stdin.write(shown)
            with suppress(BrokenPipeError):
                program.stdin.close()
        code = program.wait()
    if not code or (shown is not None and code < 0):
        return ""
    return f"{command[0]} {'was ended by signal' if code < 0 else 'ended with code'} {abs(code)}."
