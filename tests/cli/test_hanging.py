"""A command whose worker hangs: a signal ends it with a message, and what was drawn is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alignbench.child_process import is_stopped
from alignbench.store import Store
from tests.support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.models


def worker_of(pid: int) -> int:
    """The process that has the model of a front end; another one renders its templates."""
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for number in child.read_text().split():
            if b"workers.main" in Path(f"/proc/{number}/cmdline").read_bytes():
                return int(number)
    raise AssertionError("there is no worker")


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_stopped_worker_holds_no_signal_up_and_leaves_no_process(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    words = ["sample", "--prompt", "Count.", "--model", "demo-smollm2", "-n", "500", "--max-tokens", "1000", "--json"]
    command = subprocess.Popen(
        [sys.executable, "-m", "alignbench", *words, "--db", str(db)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    assert "demo-smollm2" in command.stdout.readline()  # a sample: the worker is at the others
    worker = worker_of(command.pid)
    os.kill(worker, signal.SIGSTOP)
    wait_until(lambda: is_stopped(worker))
    command.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=LIMIT)
    assert command.returncode == 130
    assert "did not stop within" in said
    assert is_gone(worker)
    with Store.open(db) as store:
        assert not [row for row in store.samples(1) if row.status == "error"]


def test_a_stopped_worker_ends_with_a_front_end_that_is_killed() -> None:
    script = (
        "import time\n"
        "from alignbench.engines.workers.pool import WorkerPool\n"
        "from alignbench.models.catalog import resolve\n"
        "pool = WorkerPool(); model = resolve('demo-smollm2')\n"
        "pool.load(model, lambda event: print(type(event).__name__, flush=True)); time.sleep(600)\n"
    )
    front = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert front.stdout is not None
    while front.stdout.readline().strip() != "Loaded":
        pass
    worker = worker_of(front.pid)
    os.kill(worker, signal.SIGSTOP)
    wait_until(lambda: is_stopped(worker))
    front.kill()
    front.wait()
    wait_until(lambda: is_gone(worker))
