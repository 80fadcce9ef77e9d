"""`alignbench ARGUMENTS` to its end, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import math
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
    with redirect_stdout(out), redirect_stderr(err):
        code = run_main(*arguments)
    return subprocess.CompletedProcess(arguments, code, *(each.buffer.getvalue().decode() for each in (out, err)))


def bits_with_end(model: str, prompt: str, response: str) -> float:
    """Of a response and its end under a model alone, by another command."""
    ran = alignbench("likelihood", "--model", model, "--prompt", prompt, "--response", response, "--json")
    assert ran.returncode == 0, ran.stderr
    totals = json.loads(ran.stdout.splitlines()[-1])["totals"]
    return -float(totals["logprob"] + totals["end_logprob"]) / math.log(2)


def run_main(*arguments: str) -> int:
    """The exit code of the command, run here; it writes to sys.stdout and sys.stderr as they are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["alignbench", *arguments])
        patched.setattr(sys, "stdin", io.StringIO())
        patched.setattr("alignbench.engines.workers.pool.WorkerPool", lent_pool)
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


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
