"""A thousand tokens a second into six columns: what the app costs, and how long a key waits.

    python benchmarks/tui_streaming.py [COLUMNSxROWS]

The app runs in a terminal of its own (a pty that is read and thrown away) on a fake engine, which lives in the same
process and is counted with it. Prints rows of the table in benchmarks/README.md.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

from _app_in_terminal import PlantedEngine, Press, run_in_terminal, time_calls, waits_ms

COLUMNS, SAMPLES = 6, 5
TOKENS_A_SECOND = 1000  # into all columns together
EVENTS_A_SECOND = 25  # of one column, as real engines coalesce them
SECONDS = 10.0
TARGET_CPU, TARGET_MS = 60, 100
SENTENCE = "People keep diaries because writing helps them to see what they think, and a day does not vanish."
WORDS = SENTENCE.split()


def app(db: Path, out: Path) -> None:
    """The child: the app, its fake engine, and a record of what it cost."""
    from alignbench.engines.protocol import Delta, Started, TextDeltas
    from alignbench.spec import Model
    from alignbench.tui.app import BenchApp
    from alignbench.tui.bench.screen import BenchScreen

    class Stream(PlantedEngine):
        """Emits words at the rate asked for."""

        def sample(self, _model, request, sink):
            threading.Thread(target=self._answer, args=(request, sink), daemon=True).start()

        def _answer(self, request, sink):
            sink(Started(request.key, (1, 2), 0, 0.0))
            drawn, start = 0, time.monotonic()
            while True:
                time.sleep(1 / EVENTS_A_SECOND)
                due = int((time.monotonic() - start) * TOKENS_A_SECOND / COLUMNS / SAMPLES)
                pieces = {i: [WORDS[at * (i + 3) % len(WORDS)] for at in range(drawn, due)] for i in request.samples}
                deltas = tuple(Delta(i, " ".join(words) + " ", due) for i, words in pieces.items() if words)
                if deltas:
                    sink(TextDeltas(request.key, deltas, (due - drawn) * len(deltas)))
                drawn = due

    shown: list[float] = []
    sample = BenchScreen.action_sample

    def action_sample(self: BenchScreen) -> None:
        sample(self)
        threading.Thread(target=measure, daemon=True).start()

    time_calls(BenchScreen, "action_sample_down", lambda: shown.append(time.monotonic()))
    BenchScreen.action_sample = action_sample  # type: ignore[method-assign]
    models = [Model(f"model-{i + 1}", f"fake-{i + 1}", "base") for i in range(COLUMNS)]
    bench = BenchApp(db, Stream(), None, models=models)

    def measure() -> None:
        time.sleep(2.0)  # six columns are up and stream
        cells = bench.workbench.bench.cells.values()
        cpu, wall, tokens = time.process_time(), time.monotonic(), sum(cell.rate.total for cell in cells)
        time.sleep(SECONDS)
        wall = time.monotonic() - wall
        rate = (sum(cell.rate.total for cell in cells) - tokens) / wall
        out.write_text(json.dumps({"cpu": (time.process_time() - cpu) / wall, "rate": rate, "shown": shown}))
        os._exit(0)

    bench.run()


def main(size: str) -> None:
    pressed: list[float] = []
    began, sampling = time.monotonic(), False

    def step(_: Path, press: Press) -> None:
        nonlocal sampling
        now = time.monotonic() - began
        if not sampling and now > 2.5:
            press(b"\x1b[15~")  # F5
            sampling = True
        if sampling and now > 5.0 and (not pressed or time.monotonic() - pressed[-1] > 0.23):
            pressed.append(time.monotonic())
            press(b"j")

    found = run_in_terminal(__file__, size, step)
    waits = waits_ms(pressed, found["shown"])
    what = f"{COLUMNS} columns of {SAMPLES} samples at {size}, {found['rate']:.0f} tokens/s"
    cpu = f"{100 * found['cpu']:.0f}% of a core"
    print(f"| {what}: CPU time of the app, fake engine included | {cpu} | under {TARGET_CPU}% |")
    print(
        f"| {what}: from key to screen, of {len(waits)} keys | median {statistics.median(waits):.0f} ms, "
        f"longest {max(waits):.0f} ms | under {TARGET_MS} ms |"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        app(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "240x60")
