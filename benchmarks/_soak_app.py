"""The app of a soak: Textual's pilot presses random keys, on real models, and sometimes a worker is killed or stopped.

python benchmarks/_soak_app.py DB SEED SECONDS RESULT
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from _soak_watch import descriptors, private_mib
from textual.pilot import Pilot

from alignbench.engines.workers.pool import WorkerPool
from alignbench.heap import share_heap
from alignbench.models.catalog import resolve
from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.sample import SampleScreen
from alignbench.tui.workbench.column import Column

MODELS = ("demo-base", "demo-smollm2")
SAMPLES, TOKENS, PROMPTS = 3, 32, 6
MOST_SAMPLES = 8  # of a column: more are drawn in wider batches, for which a worker takes more memory once
STUCK = 120.0  # seconds without a new token after which the app hangs
CANCEL_ENDS = 10.0  # seconds; 5 on a machine with nothing else to do
KEYS = {  # what is pressed, and how often beside the others
    ("f5",): 10,
    ("plus",): 2,
    ("r",): 2,
    ("right_square_bracket", "f5"): 8,
    ("left_square_bracket",): 2,
    ("enter", "escape"): 3,
    ("f7", "escape"): 3,
    ("f8", "escape"): 2,
    ("f2", "escape"): 1,
    ("f9", "escape"): 1,
    ("I", "escape"): 1,
    ("right",): 2,
    ("down",): 2,
    ("f",): 1,
    ("escape",): 4,
    ("c",): 1,
}


class Soak:
    """Random actions on an app."""

    def __init__(self, app: BenchApp, pool: WorkerPool, pilot: Pilot[Any], seed: int) -> None:
        self.app, self.pool, self.pilot = app, pool, pilot
        self.random = random.Random(seed)
        self.counts: dict[str, int] = {}
        self.faults: list[str] = []
        self.memory: dict[str, list[float]] = {"app": [], **{name: [] for name in MODELS}}
        self.descriptors: list[float] = []
        self.slowest_cancel = 0.0

    async def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        await self.columns()
        while time.monotonic() < end:
            actions = (self.press, self.kill, self.stop, self.wait, self.renew)
            action = self.random.choices(actions, (20, 1, 1, 4, 1))[0]
            self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
            await action()
            self.look()
        await self.pilot.press("escape", "escape", "escape")
        await self.idle("at the end")

    async def columns(self) -> None:
        """Few short samples of few prompts, so that much happens."""
        bench = self.app.workbench.bench
        while not bench.columns:
            await self.pilot.pause()
            bench = self.app.workbench.bench
        bench.prompts = bench.prompts[:PROMPTS]
        for column in list(bench.columns):
            sampling = replace(column.condition.sampling, max_tokens=TOKENS)
            bench.change(column, Column(replace(column.condition, sampling=sampling), SAMPLES))
        self.app.workbench.changed()

    async def renew(self) -> None:
        """Another session with as few samples as the first: what is drawn by then is no growth either."""
        await self.pilot.press("escape", "escape", "escape")
        await self.idle("before another session")
        await self.pilot.press("ctrl+n")
        await self.columns()

    async def press(self) -> None:
        keys = self.random.choices(list(KEYS), list(KEYS.values()))[0]
        await self.pilot.press(*keys)
        if isinstance(self.app.screen, SampleScreen):  # this prompt, the next ones, or none
            await self.pilot.press(*self.random.choices((["enter"], ["down", "enter"], ["escape"]), (3, 1, 3))[0])
        await asyncio.sleep(self.random.random())
        if any(column.n > MOST_SAMPLES for column in self.app.workbench.bench.columns):
            await self.columns()

    async def wait(self) -> None:
        await self.idle("without a key")

    async def kill(self) -> None:
        await self.signal(signal.SIGKILL)
        await self.idle("after a worker was killed")

    async def stop(self) -> None:
        """A worker hangs: Esc ends what it was at."""
        await self.pilot.press("f5")
        await self.signal(signal.SIGSTOP)
        began = time.monotonic()
        await self.pilot.press("escape", "escape", "escape")
        await self.idle("after Esc with a stopped worker", CANCEL_ENDS)
        self.slowest_cancel = max(self.slowest_cancel, time.monotonic() - began)
        for name in MODELS:  # the other one may have been idle: it goes on
            if pid := self.pool.worker_pid(resolve(name)):
                os.kill(pid, signal.SIGCONT)

    async def signal(self, number: signal.Signals) -> None:
        if pid := self.pool.worker_pid(resolve(self.random.choice(MODELS))):
            os.kill(pid, number)

    async def idle(self, when: str, within: float | None = None) -> None:
        """Wait until nothing is drawn. A fault where nothing new comes, or where it takes longer than `within`."""
        began = changed = time.monotonic()
        before = self.drawn()
        while self.app.workbench.busy:
            now = time.monotonic()
            if (drawn := self.drawn()) != before:
                before, changed = drawn, now
            if now - changed > STUCK or (within is not None and now - began > within):
                self.faults.append(f"the app was still busy {now - began:.0f} s later, {when}")
                return
            await asyncio.sleep(0.05)
            await self.pilot.pause()

    def drawn(self) -> tuple[int, int]:
        """Samples and tokens so far."""
        cells = self.app.workbench.bench.cells.values()
        return sum(cell.done for cell in cells), sum(cell.rate.total for cell in cells)

    def look(self) -> None:
        self.memory["app"].append(private_mib(os.getpid()))
        self.descriptors.append(descriptors(os.getpid()))
        for name in MODELS:
            process = self.pool._models.get(resolve(name))
            if process is not None and process.capabilities is not None:
                self.memory[name].append(private_mib(process.pid))


async def soak(db: Path, seed: int, seconds: float) -> dict[str, object]:
    pool = WorkerPool()
    app = BenchApp(db, pool, pool, models=[resolve(name) for name in MODELS])
    said: list[str] = []
    notify = app.notify

    def overhear(message: str, **options: Any) -> None:
        said.append(message)
        notify(message, **options)

    app.notify = overhear  # type: ignore[method-assign]
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        of = Soak(app, pool, pilot, seed)
        await of.run(seconds)
        await pilot.press("ctrl+q")
    pool.close()
    odd = [line for line in said if "Error" in line or "broke off" in line]
    return {
        "actions": of.counts,
        "faults": of.faults + odd,
        "memory": of.memory,
        "descriptors": of.descriptors,
        "slowest_cancel": of.slowest_cancel,
    }


if __name__ == "__main__":
    database, chosen_seed, length, result = sys.argv[1:]
    share_heap()  # as the command does
    found = asyncio.run(soak(Path(database), int(chosen_seed), float(length)))
    Path(result).write_text(json.dumps(found))
