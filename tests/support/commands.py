"""`alignbench ARGUMENTS` to its end, in this process or in one of its own."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from alignbench.cli import main
from alignbench.contexts.rendering import closings, render, stops
from alignbench.engines.blocking import loaded, scored
from alignbench.models.catalog import resolve
from alignbench.prompts import typed_prompt
from alignbench.spec import default_context
from tests.support.pools import lent_pool, shared_pool
from tests.support.waiting import LIMIT


def alignbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command here, on models that stay loaded for the next one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run_main(*arguments)
    return subprocess.CompletedProcess(arguments, code, *(each.buffer.getvalue().decode() for each in (out, err)))


def bits_with_end(model: str, prompt: str, response: str) -> float:
    """Of a response and its end under a model alone, asked of the model itself.

    The prompt is a context of its own, as it is where a session has no other one: cut elsewhere, a model's numbers
    differ by what its arithmetic rounds.
    """
    reader = resolve(model)
    layout = default_context(reader)
    pool = shared_pool()
    seen = render(typed_prompt(prompt), layout, loaded(pool, reader)).text
    read = scored(pool, reader, seen, "", response, top=0, closings=closings(stops(layout)))
    assert read.end is not None
    return -(float(read.logprob.sum(dtype=float)) + read.end) / math.log(2)


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
