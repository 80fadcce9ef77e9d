"""`alignbench ARGUMENTS` in this process with a terminal for stdout and stderr, and what the terminal is sent."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

from tests.support.commands import run_main


@dataclass
class Sent:
    """What was written to a terminal; whole when the terminal is closed."""

    data: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """With the line ends that the terminal made of newlines taken back."""
        return self.data.decode().replace("\r\n", "\n")


@contextmanager
def terminal() -> Iterator[Sent]:
    """sys.stdout and sys.stderr are a terminal."""
    master, slave = pty.openpty()
    sent = Sent()

    def read() -> None:
        while True:
            try:
                block = os.read(master, 65536)
            except OSError:  # nobody has the other end any more
                return
            sent.data.extend(block)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with open(slave, "w", encoding="utf-8") as out, redirect_stdout(out), redirect_stderr(out):
            yield sent
    finally:
        reader.join()
        os.close(master)


def at_a_terminal(*arguments: str) -> tuple[int, str]:
    """The exit code of a command and all that its terminal was sent."""
    with terminal() as sent:
        code = run_main(*arguments)
    return code, sent.text
