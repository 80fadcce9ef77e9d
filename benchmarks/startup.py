"""How quickly the program starts, as ratios within one run.

`alignbench --help` is set against `python -c "import typer"`, and the first paint of the app against that of a bare
Textual app. Both apps run as their own process on a pseudo-terminal of 120x36; the time is that from the start of
the process until the text of the first frame has arrived on the terminal, as a person would see it. Runs of a pair
alternate, so that whatever else the machine does meets both alike; the table shows medians.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ALIGNBENCH = str(Path(sys.executable).with_name("alignbench"))
TARGET = 2.5
COLUMNS, ROWS = 120, 36
NOT_PASSED = ("NO_COLOR", "TEXTUAL", "PYTHONDONTWRITEBYTECODE")  # an installed program has its bytecode
LIMIT = 60.0  # seconds after which a start has failed

BARE_APP = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("alignbench")
Bare().run()
"""
FIRST_FRAME = "alignbench"
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\-_=>])")


def wall_time(command: Sequence[str], env: dict[str, str]) -> float:
    """Seconds that the command takes from start to end."""
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_paint(command: Sequence[str], env: dict[str, str]) -> float:
    """Seconds from the start of the command until `FIRST_FRAME` is on its terminal. The process is then killed."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
    os.close(inner)
    try:
        return _wait_for_frame(terminal, started)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(terminal)


def _wait_for_frame(terminal: int, started: float) -> float:
    seen = b""
    while (left := started + LIMIT - time.perf_counter()) > 0 and select.select([terminal], [], [], left)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the process has left and closed its end
            break
        now = time.perf_counter()
        seen += chunk
        if FIRST_FRAME in _text(seen):
            return now - started
    raise SystemExit(f"no first frame; the terminal got:\n{_text(seen)}")


def _text(output: bytes) -> str:
    return ESCAPES.sub("", output.decode(errors="replace"))


def medians(runs: int, pair: Sequence[Callable[[], float]]) -> list[float]:
    """Median seconds of each of the pair over alternating runs, after one run each that warms the file cache."""
    for measure in pair:
        measure()
    times = [[measure() for measure in pair] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="measured runs of each (default 9)")
    runs: int = parser.parse_args().runs

    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name not in NOT_PASSED}
        env |= {"TERM": "xterm-256color", "ALIGNBENCH_CONFIG_DIR": f"{folder}/config"}
        env |= {"ALIGNBENCH_CACHE_DIR": f"{folder}/cache", "ALIGNBENCH_DB": f"{folder}/alignbench.db"}
        python = sys.executable
        rows = [
            (
                '`alignbench --help` / `python -c "import typer"`',
                medians(
                    runs,
                    (
                        lambda: wall_time((ALIGNBENCH, "--help"), env),
                        lambda: wall_time((python, "-c", "import typer"), env),
                    ),
                ),
            ),
            (
                "first paint: alignbench / bare Textual app",
                medians(
                    runs,
                    (lambda: first_paint((ALIGNBENCH,), env), lambda: first_paint((python, "-c", BARE_APP), env)),
                ),
            ),
        ]

    print("| what | alignbench, ms | measured against, ms | ratio | at most |")
    print("|---|---:|---:|---:|---:|")
    for what, (ours, theirs) in rows:
        print(f"| {what} | {ours * 1000:.0f} | {theirs * 1000:.0f} | {ours / theirs:.2f} | {TARGET} |")
    if any(ours > TARGET * theirs for _, (ours, theirs) in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
