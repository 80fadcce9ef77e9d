"""A set of 60 prompts in 8 columns of 50 samples while it is drawn: how long a key waits for its screen.

    python benchmarks/set_run.py [COLUMNSxROWS]

The app runs in a terminal of its own (a pty that is read and thrown away). Half of the 24,000 samples are in its
database; the others arrive from an engine that is planted above the engine layer, in the same process and counted with
it, as fast as 8 small models on a GPU would send them. Keys are pressed meanwhile. Prints rows of the table in
benchmarks/README.md; ends with 1 where a key waited longer than the limit.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

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
    from alignbench.tui.workbench.state import Bench, Column

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
        Capabilities,
        Delta,
        Done,
        Embedded,
        Finished,
        Loaded,
        SampleResult,
        Started,
        TextDeltas,
        TokenStats,
    )
    from alignbench.tui.app import BenchApp
    from alignbench.tui.bench.screen import BenchScreen
    from alignbench.tui.scores.screen import ScoresScreen

    capabilities = Capabilities("base", None, "", "", False, 4096, 1000, "fake", "fake")
    session = _fill(db)

    class Engine:
        """Draws a cell after the other for each model, all samples of it side by side."""

        def __init__(self) -> None:
            self._keys = itertools.count(1)

        def load(self, model, sink):
            sink(Loaded(model.name, capabilities, 0.0))

        def capabilities(self, _model):
            return capabilities

        def new_key(self):
            return next(self._keys)

        def cancel(self, *_):
            pass

        def close(self):
            pass

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

    def timed(screen, action: str, name: str) -> None:
        method = getattr(screen, action)

        def recorded(self) -> None:
            method(self)
            self.call_after_refresh(lambda: shown.setdefault(name, []).append(time.monotonic()))

        setattr(screen, action, recorded)

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


def main(size: str) -> int:
    columns, rows = (int(n) for n in size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, __file__, "--app", str(Path(folder) / "bench.db"), str(out)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": folder}
        child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        pressed: dict[str, list[float]] = {}
        turn = itertools.cycle(KEYS)
        began, last, opened = 0.0, 0.0, False
        while child.poll() is None:
            if select.select([master], [], [], 0.01)[0]:
                try:
                    os.read(master, 1 << 16)
                except OSError:  # the app has left
                    break
            now = time.monotonic()
            if not began and Path(f"{out}.ready").exists():
                began = now + 2.0
            if not began or now < began or now - last < 0.23:
                continue
            last = now
            if now < began + SECONDS:
                name = next(turn)
                os.write(master, KEYS[name])
            elif not opened:
                opened = True
                os.write(master, b"\x1b[18~")  # F7
                last = now + 2.0
                continue
            elif now < began + SECONDS + 4.0:
                os.write(master, b"3")  # the spread over prompts
                last = began + SECONDS + 5.0
                continue
            else:
                name = SPREAD_KEY
                os.write(master, b"j")
            pressed.setdefault(name, []).append(now)
        child.wait()
        found = json.loads(out.read_text())
    missed = False
    print(f"{found['done']} of {PROMPTS * COLUMNS * SAMPLES} samples at the end, at {size}\n")
    print("| key | keys | median, ms | 95 of 100, ms | longest, ms | longest / limit | at most, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, keys in pressed.items():
        waits = sorted(1000 * (done - key) for key, done in zip(keys, found["shown"].get(name, []), strict=False))
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
