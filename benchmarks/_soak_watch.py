"""What a soak looks at from outside: processes, their memory and descriptors, files that are left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MARK = "ALIGNBENCH_SOAK"  # in the environment of every process of a soak


def processes(mark: str) -> dict[int, str]:
    """Command lines of the processes that have this mark in their environment, but for this one, by process id."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:  # it has ended, or is another user's
            continue
    return {pid: command for pid, command in found.items() if command}


def children(pid: int) -> list[int]:
    """The processes that a process has begun."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def private_mib(pid: int) -> float:
    """Memory of a process that it has for itself, in MiB, without the weights that are mapped; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024


def descriptors(pid: int) -> int:
    """How many files a process has open; 0 where it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


@dataclass(frozen=True, slots=True)
class Growth:
    """How high something stood in the first and in the last third of a soak.

    Attributes:
        what: Whose memory, or what else.
        first, last: The 90th percentiles: workers that were killed begin again from below.
        course: Of each tenth.
    """

    what: str
    first: float
    last: float
    course: tuple[float, ...]

    @property
    def share(self) -> float:
        """What it grew by, as a share of the first."""
        return self.last / self.first - 1 if self.first else 0.0

    @classmethod
    def of(cls, what: str, values: Sequence[float]) -> Growth:
        """Of values in the order of time, without the first tenth, in which all is loaded for the first time."""
        tenths = np.array_split(np.array(values or [0.0]), 10)
        kept = np.concatenate(tenths[1:]) if len(values) >= 10 else np.array(values or [0.0])
        first, _, last = np.array_split(kept, 3)
        course = tuple(_high(tenth) for tenth in tenths)
        return cls(what, _high(first), _high(last), course)


def _high(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, 90)) if len(values) else 0.0
