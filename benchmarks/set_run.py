"""A set of 60 prompts in 8 columns of 50 samples while it is drawn: how long a key waits for its screen.

    python benchmarks/set_run.py [COLUMNSxROWS]

The app runs in a terminal of its own (a pty that is read and thrown away). Half of the 24,000 samples are in its
database; the others arrive from an engine that is planted above the engine layer, in the same process and counted with
it, as fast as 8 small models on a GPU would send them. Keys are pressed meanwhile. Prints rows of the table in
benchmarks/README.md; ends with 1 where a key waited longer than the limit.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path

from _app_in_terminal import PlantedEngine, Press, run_in_terminal, time_calls, waits_ms

PROMPTS, COLUMNS, SAMPLES = 60, 8, 50
TOKENS = 60  # of a sample
TOKENS_A_SECOND = 1500  # into all columns together: 25 samples a second
EVENTS_A_SECOND = 25  # of one column, as real engines coalesce them
SECONDS, SPREAD_SECONDS = 25.0, 15.0
LIMIT_MS = 100
WORDS = Path(__file__).read_text(encoding="utf-8").split()[:200]
KEYS = {
    "sample below": b"j",
    "next prompt": b"]",
    "prompt before": b"[",
    "column": b"\t",
}
SPREAD_KEY = "spread of F7: row below"


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=TOKENS))


def _fill(db: Path) -> int:
    """A session with half of the prompts' samples; its number."""
    from alignbench.spec import Condition, Model, Prompt, default_context
    from alignbench.store import Store
    from alignbench.tui.workbench import persistence
    from alignbench.tui.workbench.column import Column
    from alignbench.tui.workbench.state import Bench

    rng = random.Random(0)
    prompts = [Prompt(f"p{i}", f"Question {i}: what do people mean by {WORDS[i]}?") for i in range(PROMPTS)]
    models = [Model(f"model-{i + 1}", f"fake-{i + 1}", "base" if i else "aligned") for i in range(COLUMNS)]
    columns = [Column(Condition(model.name, model, default_context(model)), SAMPLES) for model in models]
    bench = Bench(columns=columns, reference="model-1", prompt=prompts[0], asked=prompts, prompts=prompts)
    with Store.open(db) as store, store.together():
        session = store.create_session("a set", reference="model-1")
        for column in columns:
            for cell in store.add_cells(session, prompts, column.condition, SAMPLES)[: PROMPTS // 2]:
                for sample in range(SAMPLES):
                    text = _text(rng)
                    store.add_text(cell, sample, text, raw_text=text, finish_reason="stop")
        persistence.save(store, session, persistence.layout(bench), "model-1", ())
    return session


def app(db: Path, out: Path) -> None:
    """The child: the app, its engine, and a record of when screens were drawn."""
    import numpy as np

    from alignbench.engines.embedder import DEFAULT_EMBEDDER
    from alignbench.engines.protocol import (
        Delta,
        Done,
        Embedded,
        Finished,
        SampleResult,
        Started,
        TextDeltas,
        TokenStats,
    )
    from alignbench.tui.app import BenchApp
    from alignbench.tui.bench.screen import BenchScreen
    from alignbench.tui.scores.screen import ScoresScreen

    session = _fill(db)

    class Engine(PlantedEngine):
        """Draws a cell after the other for each model, all samples of it side by side."""

        def sample(self, _model, request, sink):
            threading.Thread(target=self._answer, args=(request, sink), daemon=True).start()

        def _answer(self, request, sink):
            rng = random.Random(request.key)
            sink(Started(request.key, (1, 2), 0, 0.0))
            words = {sample: _text(rng).split() for sample in request.samples}
            drawn, start = 0, time.monotonic()
            pace = TOKENS_A_SECOND / COLUMNS / SAMPLES
            while drawn < TOKENS:
                time.sleep(1 / EVENTS_A_SECOND)
                due = min(TOKENS, int((time.monotonic() - start) * pace))
                if due > drawn:
                    deltas = tuple(Delta(i, " ".join(each[drawn:due]) + " ", due) for i, each in words.items())
                    sink(TextDeltas(request.key, deltas, (due - drawn) * len(deltas)))
                drawn = due
            ones = np.ones(TOKENS, np.float32)
            tokens = TokenStats(np.arange(TOKENS, dtype=np.int32), -ones, ones, -ones, ones)
            for i, each in words.items():
                text = " ".join(each)
                sink(Finished(request.key, SampleResult(i, text, text, "stop", 2, TOKENS, 1.0, -60.0, tokens)))
            sink(Done(request.key))

    class Embedder:
        def embed(self, texts, sink):
            rng = np.random.default_rng(len(texts))
            vectors = rng.standard_normal((len(texts), 384)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            sink(Embedded(0, vectors, (1,) * len(texts), DEFAULT_EMBEDDER))

        def cancel_embedding(self, _sink):
            pass

    bench = BenchApp(db, Engine(), Embedder(), session=session)
    shown: dict[str, list[float]] = {}

    def timed(screen: type, action: str, name: str) -> None:
        time_calls(screen, action, lambda: shown.setdefault(name, []).append(time.monotonic()))

    timed(BenchScreen, "action_sample_down", "sample below")
    timed(BenchScreen, "action_next_prompt", "next prompt")
    timed(BenchScreen, "action_previous_prompt", "prompt before")
    timed(BenchScreen, "action_column_right", "column")
    timed(ScoresScreen, "action_row_down", SPREAD_KEY)

    def work() -> None:
        while not bench.is_running or bench.workbench.bench.session is None:
            time.sleep(0.1)
        while len(bench.workbench.bench.cells) < COLUMNS * PROMPTS // 2:
            time.sleep(0.1)
        quiet = 0  # until all that is there has been scored
        while quiet < 4:
            before = bench.workbench.bench_scores.version
            time.sleep(0.5)
            quiet = quiet + 1 if before == bench.workbench.bench_scores.version else 0
        workbench = bench.workbench
        columns, prompts = list(workbench.bench.columns), list(workbench.bench.asked)
        bench.call_from_thread(lambda: bench.run_worker(workbench.draw(columns, prompts)))
        Path(f"{out}.ready").touch()
        time.sleep(2 + SECONDS + SPREAD_SECONDS)
        cells = workbench.bench.cells.values()
        out.write_text(json.dumps({"shown": shown, "done": sum(cell.done for cell in cells)}))
        os._exit(0)

    threading.Thread(target=work, daemon=True).start()
    bench.run()


class Typist:
    """Presses the keys of the Bench in turn while samples arrive, then those of F7's spread."""

    def __init__(self) -> None:
        self.pressed: dict[str, list[float]] = {}
        self._turn = itertools.cycle(KEYS)
        self._began = self._last = 0.0
        self._opened = False

    def step(self, out: Path, press: Press) -> None:
        now = time.monotonic()
        if not self._began and Path(f"{out}.ready").exists():
            self._began = now + 2.0
        if not self._began or now < self._began or now - self._last < 0.23:
            return
        self._last = now
        if now < self._began + SECONDS:
            name = next(self._turn)
            self._note(name, now)
            press(KEYS[name])
        elif not self._opened:
            self._opened = True
            press(b"\x1b[18~")  # F7
            self._last = now + 2.0
        elif now < self._began + SECONDS + 4.0:
            press(b"3")  # the spread over prompts
            self._last = self._began + SECONDS + 5.0
        else:
            self._note(SPREAD_KEY, now)
            press(b"j")

    def _note(self, name: str, now: float) -> None:
        self.pressed.setdefault(name, []).append(now)


def main(size: str) -> int:
    typist = Typist()
    found = run_in_terminal(__file__, size, typist.step)
    missed = False
    print(f"{found['done']} of {PROMPTS * COLUMNS * SAMPLES} samples at the end, at {size}\n")
    print("| key | keys | median, ms | 95 of 100, ms | longest, ms | longest / limit | at most, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, keys in typist.pressed.items():
        waits = sorted(waits_ms(keys, found["shown"].get(name, [])))
        if not waits:
            print(f"| {name} | {len(keys)} | never shown | | | | {LIMIT_MS} |")
            missed = True
            continue
        p95 = waits[int(0.95 * (len(waits) - 1))]
        missed |= waits[-1] > LIMIT_MS
        print(
            f"| {name} | {len(waits)} | {statistics.median(waits):.0f} | {p95:.0f} | {waits[-1]:.0f} | "
            f"{waits[-1] / LIMIT_MS:.2f} | {LIMIT_MS} |"
        )
    return int(missed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        app(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "200x60"))
