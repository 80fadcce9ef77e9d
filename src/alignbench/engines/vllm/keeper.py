"""The process that a server runs under: `python -m alignbench.engines.vllm.keeper COMMAND...`.

It ends the server, with all that the server has started, when its standard input is closed: by the worker that began
it, or by the system because that worker is gone, however it ended. A server that ends by itself leaves nothing behind
either. Exits as the server does.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from alignbench.child_process import end_with_parent

GRACE = 5.0  # seconds from SIGTERM, which lets a server remove its shared memory, to SIGKILL

_PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_TICK = 0.05


def keep(command: Sequence[str]) -> int:
    """Run a command until it ends or standard input does; its exit code, 128 + the signal that killed it."""
    # What a server has started is ours when the server is gone.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    here = os.getpid()
    try:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=lambda: end_with_parent(here)
        )
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror or error}", file=sys.stderr)
        return 127
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    _wait(server, told)
    _end(server)
    code = server.wait()
    return 128 - code if code < 0 else code


def _wait(server: subprocess.Popen[bytes], told: threading.Event) -> None:
    """Until the server has ended, or standard input has, or this process is told to end."""
    while server.poll() is None and not told.is_set():
        if select.select([0], [], [], _TICK)[0] and not os.read(0, 4096):
            return


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and all that is left of what it started."""
    if server.poll() is None:
        with suppress(ProcessLookupError):
            server.send_signal(signal.SIGTERM)
    for pid in _alive(server):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)  # one that is stopped would not see it
    end = time.monotonic() + GRACE
    while _alive(server) and time.monotonic() < end:
        time.sleep(_TICK)
    while left := _alive(server):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_TICK)


def _alive(server: subprocess.Popen[bytes]) -> list[int]:
    """The processes that this one and its children have begun; those that ended are cleared away."""
    server.poll()
    with suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid == server.pid:  # its exit code is wanted
                server.wait()
            else:
                os.waitpid(ended.si_pid, 0)
    return [*_descendants(os.getpid())]


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            yield child
            yield from _descendants(child)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
