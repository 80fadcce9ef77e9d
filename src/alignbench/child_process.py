"""What the system does with processes of ours: it ends them with their children and with us, and limits them."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, however that ends, and even while this one is stopped.

    For Linux the parent is the thread that began this process: it has to live as long.

    parent: process id of the one that begins it, which may have ended meanwhile
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def kill_group(pid: int) -> None:
    """End a process that began a session of its own, and all that it has started; stopped ones too."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; it is left for `wait`."""
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

    which: one of `resource.RLIMIT_*`
    """
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
