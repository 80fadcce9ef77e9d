"""`alignbench ARGUMENTS` to its end, in this process or in one of its own."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from alignbench.cli import main
from tests.support.pools import lent_pool
from tests.support.waiting import LIMIT


def alignbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command here, on models that stay loaded for the next one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setattr(sys, "argv", ["alignbench", *arguments])
        patched.setattr(sys, "stdin", io.StringIO())
        patched.setattr("alignbench.engines.workers.pool.WorkerPool", lent_pool)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return subprocess.CompletedProcess(arguments, code, *(each.buffer.getvalue().decode() for each in (out, err)))


def alignbench_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "alignbench", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
