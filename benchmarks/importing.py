"""Importing a tree as large as the paper's release, against plain SQL with the same rows, indexes and triggers.

    python benchmarks/importing.py                   # 200 prompts x 20 conditions x 5 samples of 200 words
    python benchmarks/importing.py --prompts 50

The command's work is reading the files, checking every row, and writing; `executemany` writes the rows that came out of
it to an empty file with the same schema, in one commit. Prints a row of the table in benchmarks/README.md; ends with 1
where less than a third of its rate is reached.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from alignbench.importing.save import save_import
from alignbench.overton.read import read_dataset
from alignbench.store import Store

CONDITIONS, N, WORDS = 20, 5, 200
TARGET = 1 / 3
TABLES = ("sessions", "texts", "prompts", "models", "conditions", "cells", "samples")


def write_tree(folder: Path, prompts: int) -> None:
    """A dataset as the release has them, with base and aligned conditions."""
    rng = np.random.default_rng(0)
    vocabulary = [f"word{i}" for i in range(20_000)]

    def rows(path: Path, lines: list[object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    queries = [f"Question {i}?" for i in range(prompts)]
    rows(folder / "instances" / "data.jsonl", [{"messages": [{"role": "user", "content": q}]} for q in queries])
    for number in range(CONDITIONS):
        drawn = rng.integers(0, len(vocabulary), (prompts, N, WORDS))
        layout = "# Query:\n```\n{}\n```\n\n# Answer:\n```\n" if number % 2 else "[INST] {} [/INST]"
        rows(
            folder / "outputs" / f"condition-{number}" / "samples.jsonl",
            [
                {
                    "prompt": layout.format(query),
                    "outputs": [{"generated_text": " ".join(vocabulary[w] for w in words)} for words in texts],
                }
                for query, texts in zip(queries, drawn, strict=True)
            ],
        )


def written(source: Store, path: Path) -> float:
    """Seconds of writing what a database holds to an empty one."""
    rows = {table: source.db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    with Store.open(path) as plain:
        began = time.perf_counter()
        with plain.together():
            for table, there in rows.items():
                marks = ", ".join("?" * len(there[0]))
                plain.db.conn.executemany(f"INSERT INTO {table} VALUES ({marks})", there)
        return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=200)
    prompts = parser.parse_args().prompts
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        write_tree(tree, prompts)
        with Store.open(Path(folder, "imported.db")) as store:
            began = time.perf_counter()
            landed = save_import(store, read_dataset(tree))
            took = time.perf_counter() - began
            plain = written(store, Path(folder, "plain.db"))
    share = plain / took
    print("| what | samples/s | executemany | share | at least |\n|---|---:|---:|---:|---:|")
    rates = f"{landed.samples / took:,.0f} | {landed.samples / plain:,.0f}"
    print(f"| import of {landed.samples:,} samples of {WORDS} words | {rates} | {share:.2f} | {TARGET:.2f} |")
    return int(share < TARGET)


if __name__ == "__main__":
    sys.exit(main())
