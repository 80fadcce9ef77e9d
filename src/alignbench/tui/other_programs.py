"""The user's editor and pager: the app lends them its terminal and waits."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from alignbench.display import visible
from alignbench.errors import InputError
from alignbench.terminal_programs import editor, program_of, run_program

# What a key at the terminal sends to both, and what this process does about it while it waits.
_OF_TERMINAL: dict[signal.Signals, Callable[..., None] | signal.Handlers] = {
    signal.SIGINT: lambda *_: None,
    signal.SIGQUIT: lambda *_: None,
    signal.SIGTSTP: signal.SIG_DFL,
    signal.SIGCONT: signal.SIG_DFL,
}


def edited(app: App[Any], text: str) -> str | None:
    """A text as the editor left it, None where it is the same. InputError where there is no editor, or it failed."""
    command = editor()
    with tempfile.TemporaryDirectory(prefix="alignbench-") as folder:
        file = Path(folder) / "text.txt"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        with _terminal(app):
            failure = run_program([*command, str(file)])
        if failure:
            raise InputError(f"{failure} The text is as it was.")
        try:
            left = file.read_bytes().decode("utf-8", "surrogatepass").removeprefix("\ufeff")
        except (OSError, UnicodeDecodeError) as error:
            why = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else "cannot be read"
            raise InputError(f"What {command[0]} left {why}. The text is as it was.") from None
    if not text.endswith("\n"):
        left = left.removesuffix("\n").removesuffix("\r")  # editors end the last line
    return left if left != text else None


def paged(app: App[Any], text: str) -> None:
    """Show a text in the pager, with nothing in it that acts on the terminal. InputError where there is none, or it
    failed."""
    command = program_of("PAGER") or ["less"]
    if Path(command[0]).name == "less":
        command.append("-+F")  # with -F a short text would be gone before it is seen
    with _terminal(app):
        failure = run_program(command, visible(text).encode("utf-8", "replace"))
    if failure:
        raise InputError(f"{failure} PAGER names the program to read in.")


@contextmanager
def _terminal(app: App[Any]) -> Iterator[None]:
    """Another program has the terminal. InputError where it cannot."""
    if app.is_headless:
        yield
        return
    handlers = {number: signal.signal(number, handler) for number, handler in _OF_TERMINAL.items()}
    try:
        with app.suspend():
            yield
    except SuspendNotSupported:
        raise InputError("Another program cannot be opened on this terminal.") from None
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    app.refresh(layout=True)
