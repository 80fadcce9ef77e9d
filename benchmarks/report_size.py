"""`alignbench report` over a large session: time and memory as it grows, and the size of the page.

    python benchmarks/report_size.py [--samples N]

Sessions of N / 4 and of N samples of 60 words, 10 conditions, 5 a cell (those of `store.py`); the live scores without
embeddings, one process, the page of HTML included. Prints a table in Markdown; ends with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from alignbench.store import Store
from store import fill

SAMPLES = 100_000
LINEAR = 1.1  # CPU time of a sample, in the large session against the small one
MEGABYTES, PAGE_MEGABYTES = 500, 20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, megabytes of memory at the most, megabytes of the page."""

    cpu: float
    memory: float
    page: float


def report(folder: Path, samples: int) -> Cost:
    database, page = folder / f"{samples}.db", folder / f"{samples}.html"
    with Store.open(database) as store:
        session, _ = fill(store, samples)
    arguments = ["report", str(session), "--reference", "c0", "--floor", "c1", "--embedder", "none", "-o", str(page)]
    process = subprocess.Popen(
        [sys.executable, "-m", "alignbench", *arguments, "--db", str(database)],
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"alignbench report ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, page.stat().st_size / 1e6)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=SAMPLES, metavar="N")
    n = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        small, large = (report(Path(folder), samples) for samples in (n // 4, n))
    growth = (large.cpu / n) / (small.cpu / (n // 4))
    print(f"| what | {n:,} samples | {n // 4:,} samples | ratio | target |\n|---|---:|---:|---:|---:|")
    print(f"| CPU of a sample, ms | {1000 * large.cpu / n:.2f} | {4000 * small.cpu / n:.2f} | {growth:.2f} "
          f"| at most {LINEAR} |")  # fmt: skip
    print(f"| memory, MB | {large.memory:.0f} | {small.memory:.0f} | {large.memory / small.memory:.2f} "
          f"| at most {MEGABYTES} |")  # fmt: skip
    print(f"| the page, MB | {large.page:.1f} | {small.page:.1f} | | at most {PAGE_MEGABYTES} |")
    return int(growth > LINEAR or large.memory > MEGABYTES or large.page > PAGE_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
