"""What the system does with processes of ours: it ends them with their children and with us, and limits them."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # of prctl(2)
_TICK = 1.0  # seconds between two looks whether the parent is there, where the system does not tell


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, however that ends, and even while this one is stopped.

    For Linux the parent is the thread that began this process: it has to live as long. Elsewhere a thread looks every
    second, which a process that was stopped does not.

    parent: process id of the one that begins it, which may have ended meanwhile
    """
    if (prctl := getattr(ctypes.CDLL(None), "prctl", None)) is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_end_after, args=(parent,), name="end with parent", daemon=True).start()
    if os.getppid() != parent:
        os._exit(0)


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_TICK)
    os.kill(os.getpid(), signal.SIGKILL)


def kill_group(pid: int) -> None:
    """End a process that began a session of its own, and all that it has started; stopped ones too."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; it is left for `wait`."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13 cannot say so without waiting: the end of a pipe tells it
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped, as by SIGSTOP, and not continued."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


def lower_limit(which: int, wanted: int) -> None:
    """Set a limit of this process, below the hard one where that is lower; the hard limit stays.

    macOS refuses some of them, of memory above all: there the process goes on without.

    which: one of `resource.RLIMIT_*`
    """
    _, hard = resource.getrlimit(which)
    try:
        resource.setrlimit(which, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    except (OSError, ValueError):
        if sys.platform != "darwin":
            raise
