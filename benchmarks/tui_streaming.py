"""A thousand tokens a second into six columns: what the app costs, and how long a key waits.

    python benchmarks/tui_streaming.py [COLUMNSxROWS]

The app runs in a terminal of its own (a pty that is read and thrown away) on a fake engine, which lives in the same
process and is counted with it. Prints rows of the table in benchmarks/README.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
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

COLUMNS, SAMPLES = 6, 5
TOKENS_A_SECOND = 1000  # into all columns together
EVENTS_A_SECOND = 25  # of one column, as real engines coalesce them
SECONDS = 10.0
TARGET_CPU, TARGET_MS = 60, 100
WORDS = "people keep diaries because writing helps them to see what they think, and a day does not vanish. ".split(" ")


def app(db: Path, out: Path) -> None:
    """The child: the app, its fake engine, and a record of what it cost."""
    import itertools

    import numpy as np

    from alignbench.engines.protocol import (
        Capabilities,
        Delta,
        Done,
        Finished,
        Loaded,
        Progress,
        SampleResult,
        Started,
        TokenStats,
    )
    from alignbench.spec import Model
    from alignbench.tui.app import BenchApp
    from alignbench.tui.screens.bench import BenchScreen

    capabilities = Capabilities("base", None, "", "", False, 4096, 1000, "fake", "fake")

    class Stream:
        """Emits words at the rate asked for."""

        def __init__(self) -> None:
            self._keys = itertools.count(1)
            self._stop = threading.Event()

        def load(self, model, sink):
            sink(Loaded(model.name, capabilities, 0.0))

        def capabilities(self, model):
            return capabilities

        def new_key(self):
            return next(self._keys)

        def sample(self, model, request, sink):
            threading.Thread(target=self._answer, args=(request, sink), daemon=True).start()

        def _answer(self, request, sink):
            sink(Started(request.key, (1, 2), 0, 0.0))
            texts = ["" for _ in request.samples]
            drawn, start = 0, time.monotonic()
            while not self._stop.wait(1 / EVENTS_A_SECOND):
                due = int((time.monotonic() - start) * TOKENS_A_SECOND / COLUMNS / SAMPLES)
                if due == drawn:
                    continue
                deltas = []
                for i in request.samples:
                    piece = " ".join(WORDS[(at * (i + 3)) % len(WORDS)] for at in range(drawn, due)) + " "
                    texts[i] += piece
                    deltas.append(Delta(i, piece, due))
                sink(Progress(request.key, tuple(deltas), (due - drawn) * len(deltas)))
                drawn = due
            stats = TokenStats(np.zeros(drawn, np.int32), *(np.zeros(drawn, np.float32) for _ in range(4)))
            for i in request.samples:
                result = SampleResult(i, texts[i], texts[i], "stop", 2, drawn, time.monotonic() - start, -1.0, stats)
                sink(Finished(request.key, result))
            sink(Done(request.key))

        def cancel(self, model, key, samples=None):
            self._stop.set()

        def unload(self, model): ...

        def close(self): ...

    shown: list[float] = []
    moved = BenchScreen.action_sample_down

    async def action_sample_down(self) -> None:
        await moved(self)
        self.call_after_refresh(lambda: shown.append(time.monotonic()))

    BenchScreen.action_sample_down = action_sample_down  # type: ignore[method-assign]
    models = [Model(f"model-{i + 1}", f"fake-{i + 1}", "base") for i in range(COLUMNS)]
    bench = BenchApp(db, Stream(), None, models=models)

    def measure() -> None:
        time.sleep(2.0)  # six columns are up and stream
        cpu, wall = time.process_time(), time.monotonic()
        cells = bench.workbench.bench.cells.values()
        tokens = sum(cell.rate.total for cell in cells)
        time.sleep(SECONDS)
        wall = time.monotonic() - wall
        rate = (sum(cell.rate.total for cell in cells) - tokens) / wall
        out.write_text(json.dumps({"cpu": (time.process_time() - cpu) / wall, "rate": rate, "shown": shown}))
        os._exit(0)

    class Measured(BenchScreen):
        def action_sample(self) -> None:
            super().action_sample()
            threading.Thread(target=measure, daemon=True).start()

    bench.get_default_screen = lambda: setattr(bench, "bench_screen", Measured(bench.workbench)) or bench.bench_screen
    bench.run()


def main(size: str) -> None:
    columns, rows = (int(n) for n in size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, __file__, "--app", str(Path(folder) / "bench.db"), str(out)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        pressed: list[float] = []
        n_bytes, began, sampling = 0, time.monotonic(), False
        while child.poll() is None:
            if select.select([master], [], [], 0.01)[0]:
                try:
                    n_bytes += len(os.read(master, 1 << 16))
                except OSError:
                    break
            now = time.monotonic() - began
            if not sampling and now > 2.5:
                os.write(master, b"\x1b[15~")  # F5
                sampling = True
            if sampling and now > 5.0 and (not pressed or time.monotonic() - pressed[-1] > 0.23):
                pressed.append(time.monotonic())
                os.write(master, b"j")
        child.wait()
        found = json.loads(out.read_text())
    waits = [1000 * (done - key) for key, done in zip(pressed, found["shown"], strict=False)]
    what = f"{COLUMNS} columns of {SAMPLES} samples at {size}, {found['rate']:.0f} tokens/s"
    print(f"| {what}: CPU time of the app, fake engine included | {100 * found['cpu']:.0f}% of a core | under {TARGET_CPU}% |")
    print(
        f"| {what}: from key to screen, of {len(waits)} keys | median {statistics.median(waits):.0f} ms, "
        f"longest {max(waits):.0f} ms | under {TARGET_MS} ms |"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        app(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "240x60")
