"""The real command, in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def alignbench(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run `alignbench ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "alignbench", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
