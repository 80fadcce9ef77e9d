"""What there is of this machine for a process, on Linux and on macOS."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN = 1 << 62  # bytes; more than any request

_MEMINFO = Path("/proc/meminfo")


def usable_cores() -> int:
    """Cores that this process may use: where the system can bind a process to some, those."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes of memory that can be had without swapping; UNKNOWN where the system does not say."""
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return UNKNOWN
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return UNKNOWN
