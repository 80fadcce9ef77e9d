"""A process at the other end of a pipe, for which nobody waits: not who sends to it, and not who ends it."""

from __future__ import annotations

import logging
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from alignbench.child_process import has_ended, kill_group
from alignbench.errors import EngineError

_MAIN = "alignbench.engines.workers.main"
_TICK = 0.25  # seconds between two looks at the process

# libgomp's default spinning stalls two workers on the same cores; a short spin keeps the speed of one worker alone.
_ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


class Child:
    """A worker process and its pipe.

    It has three threads here. One begins it, and looks at it until it has ended: the system ends the process with that
    thread. One reads from the pipe. One writes to it, since a process that does not read fills it.
    """

    def __init__(
        self,
        name: str,
        log: Path | None,
        *,
        received: Callable[[Any], None],
        look: Callable[[], None],
        ended: Callable[[int], None],
    ) -> None:
        """Begin it. Raises EngineError where the system has no room for another process.

        Args:
            name: of the model
            log: where its stdout and stderr are appended, None for nowhere
            received: called with each message of it
            look: called now and then while it lives
            ended: called with its exit code, as subprocess has it, when it and its children are gone
        """
        self._name, self._log = name, log
        self._received, self._look, self._ended = received, look, ended
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()  # None is the last
        self._over = threading.Event()
        begun: Future[subprocess.Popen[bytes]] = Future()
        try:
            threading.Thread(target=self._live, args=(begun,), name=f"worker {name}", daemon=True).start()
            self._process = begun.result()
            for work in (self._write, self._read):
                threading.Thread(target=work, name=f"pipe of {name}", daemon=True).start()
        except (OSError, RuntimeError) as error:  # no process, no descriptor, no thread
            self._over.set()
            why = error.strerror if isinstance(error, OSError) else error
            raise EngineError(f"The worker of {name} could not be started: {why}.") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> None:
        """Queue a message; one that is dead gets none."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End it and its children."""
        if not self._over.is_set():
            kill_group(self.pid)

    def _live(self, begun: Future[subprocess.Popen[bytes]]) -> None:
        try:
            process = self._begin()
        except OSError as error:
            begun.set_exception(error)
            return
        begun.set_result(process)
        while not self._over.wait(_TICK):
            if has_ended(process.pid):
                kill_group(process.pid)  # a child of it may hold the pipe open
            else:
                self._look()
        if process.poll() is None:  # it was begun, but its pipe was not
            kill_group(process.pid)
            process.wait()

    def _begin(self) -> subprocess.Popen[bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs, (self._log or Path(os.devnull)).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MAIN, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **_ENVIRONMENT},
                start_new_session=True,  # Ctrl-C in the terminal is the front end's to handle
            )
            self._connection = Connection(ours.detach())
        return process

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            with suppress(OSError):
                self._connection.send(message)
        self._connection.close()

    def _read(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                break
            try:
                self._received(message)
            except Exception as error:  # who listens has a fault; the process and all others who listen to it have not
                logging.getLogger("alignbench").warning("An answer of %s was lost: %r", self._name, error)
        kill_group(self.pid)
        code = self._process.wait()
        self._over.set()
        self._outbox.put(None)
        self._ended(code)
