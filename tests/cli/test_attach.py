"""`alignbench run --detach` and `alignbench attach`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alignbench.experiments.background import begin, find
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench, alignbench_process
from tests.support.samples import result


@pytest.fixture
def db() -> Path:
    """Session 1: two samples, one of which is done."""
    path = Path(os.environ["ALIGNBENCH_DB"])
    with Store.open(path) as store:
        condition = Condition.zero_shot(Model("demo-base", "demo-base", "base"))
        cell = store.add_cell(store.create_session("mine"), Prompt("p", "Why?"), condition, 2)
        store.add_sample(cell, result(0, "text"))
    return path


def test_nothing_runs(db: Path) -> None:  # noqa: ARG001  it makes the session
    for arguments in ((), ("1",)):
        looked = alignbench("attach", *arguments)
        assert looked.returncode == 0
        assert "Nothing runs in the background for " in looked.stderr
    assert alignbench("attach", "7").returncode == 2


def watch() -> subprocess.Popen[str]:
    """`alignbench attach`, once it watches."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "alignbench", "attach"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert watching.stderr is not None
    assert "Ctrl-C leaves it alone" in watching.stderr.readline()
    return watching


def rest_of(watching: subprocess.Popen[str]) -> str:
    """What it says until it ends, which is no failure."""
    assert watching.stderr is not None
    with watching:
        said = watching.stderr.read()
    assert watching.returncode == 0
    return said


def test_what_a_run_says_is_shown_to_its_end(db: Path, tmp_path: Path) -> None:
    said = "print('\\x1b]52;c;aGk=\\x07 3 to go', flush=True)"
    wait = f"import time, pathlib\nwhile not pathlib.Path({str(tmp_path / 'end')!r}).exists(): time.sleep(0.01)"
    begin(db, 1, [sys.executable, "-c", f"{said}\n{wait}\nprint('all done')"])
    watching = watch()
    (tmp_path / "end").touch()
    shown = rest_of(watching)
    assert "3 to go" in shown
    assert "all done" in shown
    assert "\x1b" not in shown
    assert f"The last run was of session 1: {db}-run-1.log" in alignbench("attach").stderr


def test_ctrl_c_leaves_the_run_alone(db: Path) -> None:
    run = begin(db, 1, [sys.executable, "-c", "import signal; signal.pause()"])
    watching = watch()
    watching.send_signal(signal.SIGINT)
    said = rest_of(watching)
    assert f"the run of session 1 goes on; see it with: alignbench attach 1; end it with: kill -INT {run.pid}" in said
    assert find(db, 1) == run
    os.kill(run.pid or 0, signal.SIGKILL)


@pytest.mark.models
def test_a_detached_run_draws_everything(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'n = 2\n[prompts]\nsets = ["open-ended"]\nlimit = 2\n[sampling]\nmax_tokens = 6\n'
        '[[conditions]]\nmodel = "demo-smollm2"\n'
    )
    begun = alignbench_process("run", str(file), "--detach")
    assert begun.returncode == 0
    assert "it goes on in the background, as process" in begun.stderr
    watched = alignbench("attach", "1")
    assert watched.returncode == 0
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        assert store.session(1).n_samples == 4
