"""A user's function at work in a process of its own, which is ended where it does not come back."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from alignbench import cache_folder
from alignbench.child_process import kill_group
from alignbench.errors import InputError
from alignbench.own_metrics.declaration import Declaration
from alignbench.parsing import parse_json

LOAD_SECONDS = 120.0  # that a file may take to be imported; torch takes many
GIVEN_UP = 3  # calls in a row that hang or end the process, after which it is not asked again

_MAIN = "alignbench.own_metrics.child"
_PIECE = 1 << 16  # bytes: no more go into a pipe at once
_AHEAD = 8  # calls that the process has at once
_LONGEST_ANSWER = 1 << 20  # bytes


class Answer(NamedTuple):
    """What one call came to: a value, or why there is none."""

    value: float | None
    reason: str = ""


class _Hung(Exception):
    pass


class _Ended(Exception):
    pass


class MetricProcess:
    """A function of a user, loaded once. Its methods may be called from any thread.

    Attributes:
        source, function: Where it is, and its name there.
        declaration: What is known of it.
        version: Of its source; a file that has changed meanwhile is not asked further.
        log: Where its output goes, None for nowhere.
    """

    def __init__(self, source: str, function: str, where: str = "--metrics") -> None:
        """Load it. InputError where that fails.

        Args:
            source: Path of a file, or the name of an installed module.
            function: Its name there.
            where: It is asked for, for messages.
        """
        self.source, self.function = source, function
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._received = bytearray()
        self._failed = 0  # calls in a row that ended the process
        self._over = False
        self.log = cache_folder.worker_log(f"metric-{Path(source).stem}-{os.getpid()}.log")
        _ALL.add(self)
        with self._lock:
            loaded = self._load()
        if "error" in loaded:
            why = str(loaded["error"])
            raise InputError(f"{where}: {why}" + ("" if why.endswith((".", "?")) else "."))
        self.declaration = Declaration.of_facts(loaded["facts"])
        self.version: str = loaded["version"]

    def calls(self, arguments: Sequence[Sequence[Any]]) -> list[Answer]:
        """What each call comes to, in their order; one that hangs or ends the process has that reason."""
        with self._lock:
            answers: list[Answer] = []
            while len(answers) < len(arguments):
                if self._over:
                    return [*answers, *[Answer(None, "its process was ended")] * (len(arguments) - len(answers))]
                if self._failed >= GIVEN_UP:
                    why = f"given up after {GIVEN_UP} calls in a row that hung or ended their process"
                    return [*answers, *[Answer(None, why)] * (len(arguments) - len(answers))]
                if self._process is None and (why := self._again()):
                    return [*answers, *[Answer(None, why)] * (len(arguments) - len(answers))]
                lines = [_line({"call": each}) for each in arguments[len(answers) :]]
                try:
                    for answer in self._exchange(lines, self.declaration.seconds):
                        answers.append(Answer(answer.get("value"), answer.get("reason", "")))
                        self._failed = 0
                except _Hung:
                    answers.append(Answer(None, f"it ran for more than {self.declaration.seconds:g} seconds"))
                except _Ended as error:
                    answers.append(Answer(None, f"it ended its process ({error})"))
                else:
                    continue
                self._failed += 1
                self._end()
            return answers

    def close(self) -> None:
        """End the process, whatever it does; further calls have no value."""
        self._over = True
        if (process := self._process) is not None:  # a call that hangs holds the lock, and ends with the process
            kill_group(process.pid)
        with self._lock:
            self._end()

    def _load(self) -> dict[str, Any]:
        try:
            self._begin()
            return next(self._exchange([_line({"load": self.function})], LOAD_SECONDS))
        except _Hung:
            why = f"its import ran for more than {LOAD_SECONDS:g} seconds"
        except _Ended as error:
            why = f"its import ended the process ({error})"
        except OSError as error:
            why = f"its process could not be started: {error.strerror or error}"
        self._end()
        return {"error": "its process was ended" if self._over else why}

    def _again(self) -> str:
        """Load it once more; why that cannot be, else empty."""
        loaded = self._load()
        if "error" in loaded:
            return str(loaded["error"])
        return "" if loaded["version"] == self.version else "its file has changed since it was loaded"

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs, (self.log or Path(os.devnull)).open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", _MAIN, str(theirs.fileno()), str(os.getpid()), self.source],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C in the terminal is the front end's to handle
                )
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)
        self._channel, self._received = ours, bytearray()

    def _exchange(self, lines: Sequence[bytes], seconds: float) -> Iterator[dict[str, Any]]:
        """The answers to lines, each as it comes. _Hung where one takes longer, _Ended where the process does."""
        channel = self._channel
        assert channel is not None
        sent = answered = 0
        outgoing = memoryview(b"")
        end = time.monotonic() + seconds
        while answered < len(lines):
            if not outgoing and sent < min(len(lines), answered + _AHEAD):
                outgoing, sent = memoryview(lines[sent]), sent + 1
            wait = max(0.0, end - time.monotonic())
            readable, writable, _ = select.select([channel], [channel] if outgoing else [], [], wait)
            if readable:
                for answer in self._read(channel):
                    answered += 1
                    end = time.monotonic() + seconds
                    yield answer
            elif writable:
                with suppress(BlockingIOError):
                    outgoing = outgoing[self._send(channel, outgoing[:_PIECE]) :]
            elif time.monotonic() >= end:
                raise _Hung

    def _read(self, channel: socket.socket) -> Iterator[dict[str, Any]]:
        try:
            piece = channel.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            raise _Ended(self._how())
        self._received += piece
        *whole, rest = self._received.split(b"\n")
        if len(rest) > _LONGEST_ANSWER:
            raise _Ended("it wrote into the pipe of its answers")
        self._received = bytearray(rest)
        for line in whole:
            try:
                answer = parse_json(bytes(line))
            except ValueError:
                raise _Ended("it wrote into the pipe of its answers") from None
            yield answer

    def _send(self, channel: socket.socket, piece: memoryview) -> int:
        try:
            return channel.send(piece)
        except BlockingIOError:
            raise
        except OSError:
            raise _Ended(self._how()) from None

    def _how(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            return "it closed the pipe of its answers"
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def _end(self) -> None:
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()
            self._process = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _line(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode("ascii") + b"\n"


_ALL: weakref.WeakSet[MetricProcess] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for process in [*_ALL]:
        process.close()
