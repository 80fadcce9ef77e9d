"""The one door to the terminal: everything a command prints passes here, and nothing in it acts on the terminal.

stdout has results, stderr narration. What is for people is shown as `display.visible` has it, wherever it goes; data
for programs goes to a file or a pipe as it is, and is made visible on a terminal only. A result that cannot be written
ends the command with one message (`OutputError`); narration that cannot be written is left out.

`guard` puts the door before sys.stdout and sys.stderr, so that what libraries write passes it too: usage errors,
warnings, log lines, tracebacks.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TextIO, TypeVar, cast

from alignbench.cli.streams import Narration, Results, Stream
from alignbench.display import visible
from alignbench.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console as Console

S = TypeVar("S", bound=Stream)
_UNLIMITED = 1_000_000  # columns of a file or a pipe


def say(line: str) -> None:
    """Narration: a line on stderr."""
    _stderr().write(f"{line}\n")


def wrote(path: Path) -> None:
    """Narration: this file is there now."""
    say(f"wrote {path}")


def show(text: str = "") -> None:
    """A result for people: a line on stdout."""
    _stdout().write(f"{text}\n")


def data(text: str, *, end: str = "\n") -> None:
    """A result for programs, on stdout at once."""
    file = data_file()
    file.write(f"{text}{end}")
    file.flush()


def json_data(value: object) -> None:
    """A result for programs, as a line of JSON on stdout."""
    data(json_text(value))


def data_file() -> TextIO:
    """stdout for who writes a result for programs piece by piece."""
    return cast("TextIO", _DataFile(_stdout()))


def exact(text: str) -> None:
    """A text on stdout to its last byte: in UTF-8 whatever the locale, halves of surrogate pairs too."""
    out = _stdout()
    if out.isatty():
        out.write(text)
    else:
        out.behind.write_bytes(text.encode("utf-8", "surrogatepass"))
    out.flush()


def console(*, wide: bool = False) -> Console:
    """stdout for tables and pages. What it is given has to be visible already: its own escapes lay out the page.

    wide: a row is one line of a file or a pipe, however long.
    """
    out = _stdout()
    made = _console(out.behind)
    if wide and not out.isatty():
        made.width = _UNLIMITED
    return made


def bars_console() -> Console:
    """stderr for bars."""
    return _console(_stderr().behind)


@contextmanager
def above(bars: Console) -> Iterator[None]:
    """While these bars are shown, lines for the terminal go above them."""
    _bars.append(bars)
    try:
        yield
    finally:
        _bars.remove(bars)


def can_ask() -> bool:
    """Whether somebody is there to read a question and to answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and _stderr().isatty()


def agreed(question: str) -> bool:
    """Ask on the terminal; only a yes is one."""
    err = _stderr()
    err.write(f"{question} [y/N]: ")
    err.flush()
    return sys.stdin.buffer.readline().strip().lower() in (b"y", b"yes")


def guard() -> None:
    """Put the door before sys.stdout and sys.stderr, for the rest of the process."""
    _occupy_descriptors()
    sys.stdout, sys.stderr = cast("TextIO", _stdout()), cast("TextIO", _stderr())


def finish() -> None:
    """Write what is still in buffers. OutputError where a result cannot be written."""
    err = _stderr()
    err.flush()
    if err.behind.failure is not None:
        err.behind.discard()
    out = _stdout()
    if out.behind.failure is None:  # else that was said
        out.flush()


_bars: list[Console] = []  # that are on the screen


class _Borrowed(io.TextIOBase):
    """Of somebody else's stream, which it does not close when it is not used any more."""

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        pass


class _Door(_Borrowed, Generic[S]):
    """A stream on which every character is visible."""

    def __init__(self, behind: S) -> None:
        self.behind = behind
        self._begun = ""  # of a line that will stand above bars

    def isatty(self) -> bool:
        return self.behind.isatty()

    def fileno(self) -> int:
        return self.behind.fileno()

    def flush(self) -> None:
        self.behind.flush()

    def write(self, text: str) -> int:
        shown = visible(text)
        if not shown:  # what looks at a stream by writing nothing does not find its faults
            return 0
        if _bars and self.isatty():
            from rich.text import Text

            *lines, self._begun = f"{self._begun}{shown}".split("\n")
            for line in lines:
                _bars[-1].print(Text(line), soft_wrap=True)
        else:
            self.behind.write(self._begun + shown)
            self._begun = ""
        return len(text)


class _DataFile(_Borrowed):
    """stdout without the door where it is no terminal. On a terminal, CR LF is a line end like any other."""

    def __init__(self, door: _Door[Results]) -> None:
        self._door = door

    def flush(self) -> None:
        self._door.flush()

    def write(self, text: str) -> int:
        if self._door.isatty():
            return self._door.write(text.replace("\r\n", "\n"))
        return self._door.behind.write(self._door.behind.exact(text))


def _stdout() -> _Door[Results]:
    return sys.stdout if isinstance(sys.stdout, _Door) else _Door(Results(sys.stdout))


def _stderr() -> _Door[Narration]:
    return sys.stderr if isinstance(sys.stderr, _Door) else _Door(Narration(sys.stderr))


def _console(stream: Stream) -> Console:
    from rich.console import Console

    return Console(file=cast("TextIO", stream), markup=False, highlight=False, emoji=False)


def _occupy_descriptors() -> None:
    """Those of standard streams that were closed: no database or log file is opened under their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
