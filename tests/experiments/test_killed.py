"""`kill -9` of a run, at moments drawn by seed."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import numpy as np

from alignbench.store import Store
from tests.experiments import killed

KILLS = 20


def drawn(path: Path) -> list[tuple[tuple[str, str, int], str, int, str]]:
    """Place, text, seed and prompt as the model saw it, of every sample that is done."""
    with Store.open(path) as store:
        rendered = {cell.id: store.rendered(cell.id) or "" for cell in store.cells(1)}
        return [
            ((row.prompt_id, row.condition, row.sample), row.text, row.seed, rendered[row.cell_id])
            for row in store.samples(1)
            if row.status == "done"
        ]


def test_a_run_that_is_killed_twenty_times_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([killed.__name__])
    path, rng = tmp_path / "disturbed.db", np.random.default_rng(0)
    for _ in range(KILLS):
        here, there = processes.Pipe(duplex=False)
        run = processes.Process(target=killed.draw, args=(path, there))
        run.start()
        there.close()
        try:
            for _ in range(rng.integers(0, 4)):
                here.recv_bytes()
        except EOFError:
            break  # this machine is so slow that all was drawn before the last kills
        time.sleep(rng.uniform(0, 0.03))  # somewhere between two samples
        run.kill()
        run.join()
    before = drawn(path)
    killed.draw(path)
    killed.draw(tmp_path / "undisturbed.db")
    resumed = drawn(path)
    assert sorted(resumed) == sorted(drawn(tmp_path / "undisturbed.db"))
    assert len({place for place, *_ in resumed}) == len(resumed) == 3 * len(killed.PROMPTS) * killed.N
    assert before
    assert set(before) <= set(resumed)
