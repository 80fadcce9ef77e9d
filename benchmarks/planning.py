"""Planning a very large experiment: memory of the whole process, and time.

    python benchmarks/planning.py                    # 1,000,000 cells: 100,000 prompts under 10 conditions
    python benchmarks/planning.py --cells 100000

A plan is made of nothing, which registers every cell, and made again, which finds what is missing. Prints rows of the
table in benchmarks/README.md; ends with 1 where the memory is over its target.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from alignbench.experiments.plan import make_plan
from alignbench.spec import Condition, Model, Prompt, default_context
from alignbench.store import Store

N_CONDITIONS, N = 10, 5
TARGET_MB = 500

MODEL = Model("demo-base", "demo-base", "base")
CONDITIONS = [Condition(f"c{i}", MODEL, default_context(MODEL), seed=1000 * i) for i in range(N_CONDITIONS)]


def peak_mb() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=1_000_000)
    cells = parser.parse_args().cells
    print(f"| {cells:,} cells | seconds | memory so far, MB | at most |\n|---|---:|---:|---:|")
    print(f"| nothing yet | | {peak_mb():.0f} | |")
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "plan.db") as store:
        prompts = [Prompt(f"p{i}", f"Question {i}?") for i in range(cells // N_CONDITIONS)]
        session = store.create_session("large")
        for what in ("planned, every cell registered", "planned again"):
            began = time.perf_counter()
            plan = make_plan(store, session, prompts, CONDITIONS, N)
            print(f"| {what} | {time.perf_counter() - began:.1f} | {peak_mb():.0f} | {TARGET_MB} |", flush=True)
            assert plan.n_missing == cells * N
            del plan
    return int(peak_mb() > TARGET_MB)


if __name__ == "__main__":
    sys.exit(main())
