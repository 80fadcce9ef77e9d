"""Random actions on real parts, for long: nothing lost, nothing left behind, nothing that grows.

    python benchmarks/soak.py                       # 2 minutes
    python benchmarks/soak.py minutes=30 seed=7     # the same actions again by the seed, as far as time lets them

The app (a pilot presses keys, workers are killed and stopped under it) and commands in processes of their own (sampled,
killed and resumed, interrupted, imported, exported, reported) share one database. At the end the database is whole,
every count that was said is the database's, no process, descriptor or temporary file is left, and memory is flat. Ends
with 1 where one of these does not hold.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from _soak_commands import Commands
from _soak_watch import MARK, Growth, processes

from alignbench import paths

GROWTH = 0.05  # of memory, between the first and the last third
ENDS = 300.0  # seconds that the app may take to end after its time
PROCESS_ENDS = 10.0  # seconds until the last worker of a killed command is gone


def main() -> int:
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    minutes, seed = float(given.get("minutes", 2)), int(given.get("seed", random.SystemRandom().randrange(10**6)))
    print(f"soak of {minutes:g} minutes, seed={seed}", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it, and so would commands
    mark = f"{os.getpid()}-{seed}"
    weights = str(paths.weights_dir())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        temporary = folder / "tmp"
        temporary.mkdir()
        os.environ |= {
            MARK: mark,
            "ALIGNBENCH_CACHE_DIR": str(folder / "cache"),
            "ALIGNBENCH_CONFIG_DIR": str(folder / "config"),
            "ALIGNBENCH_WEIGHTS_DIR": weights,
            "TMPDIR": str(temporary),
        }
        faults = soak(folder, minutes * 60, seed)
        faults += left(folder, temporary, mark)
    for fault in faults:
        print(f"FAULT: {fault}")
    print(f"{len(faults)} faults")
    return int(bool(faults))


def soak(folder: Path, seconds: float, seed: int) -> list[str]:
    """Both at once; what went wrong."""
    db, result = folder / "soak.db", folder / "app.json"
    script = Path(__file__).with_name("_soak_app.py")
    log = folder / "app.log"
    with log.open("wb") as output:
        app = subprocess.Popen(
            [sys.executable, str(script), str(db), str(seed), str(seconds), str(result)], stdout=output, stderr=output
        )
        commands = Commands(folder, db, random.Random(seed))
        commands.run(time.monotonic() + seconds)
        try:
            app.wait(ENDS)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()
    commands.check_counts()
    faults = commands.faults + whole(db)
    if app.returncode or not result.exists():
        return [*faults, f"the app ended with {app.returncode}: {log.read_text(errors='replace')[-2000:]}"]
    found = json.loads(result.read_text())
    growths = [Growth.of(f"memory of {what}, MiB", values) for what, values in found["memory"].items()]
    growths.append(Growth.of("descriptors of the app", found["descriptors"]))
    print_figures(commands, found, growths, db)
    grown = [each for each in growths if each.share > GROWTH]
    return faults + found["faults"] + [f"{each.what} grew by {each.share:.1%}" for each in grown]


def whole(db: Path) -> list[str]:
    with closing(sqlite3.connect(db)) as connection:
        integrity = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        foreign = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [*(f"integrity_check: {line}" for line in integrity if line != "ok"), *map(str, foreign)]


def left(folder: Path, temporary: Path, mark: str) -> list[str]:
    """Processes and files that should be gone."""
    end = time.monotonic() + PROCESS_ENDS
    while (running := processes(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    files = [path for path in temporary.rglob("*") if path.is_file()]
    files += [path for path in folder.rglob("*") if path.name.endswith(".part") or path.name.startswith(".probe-")]
    return [f"left: {what}" for what in (*running.values(), *files)]


def print_figures(commands: Commands, found: dict[str, dict[str, int]], growths: list[Growth], db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        sessions, samples = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("sessions", "samples")
        )
    print(f"app: {found['actions']}; commands: {dict(commands.counts)}; {sessions} sessions, {samples} samples")
    print(f"slowest end: app {found['slowest_cancel']:.1f} s after Esc, command {commands.slowest_end:.1f} s")
    print("| what | first third | last third | growth | course |\n|---|---:|---:|---:|---|")
    for each in growths:
        course = " ".join(f"{value:.0f}" for value in each.course)
        print(f"| {each.what} | {each.first:.0f} | {each.last:.0f} | {each.share:+.1%} | {course} |")


if __name__ == "__main__":
    sys.exit(main())
