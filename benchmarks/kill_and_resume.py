"""`kill -9` at random moments of an experiment, resumed each time: the samples are those of an undisturbed run.

    python benchmarks/kill_and_resume.py                   # quick, 20 kills: about 10 minutes on 2 idle cores
    python benchmarks/kill_and_resume.py --kills 3 --limit 2

A moment lies, by seed, between the start of the command and three times its share of the time that the undisturbed run
took. Texts, tokens and their log-probs have to be equal to the last bit. Ends with 1 where they are not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from alignbench.store import Store

Place = tuple[str, str, int]  # prompt, condition, sample


def command(arguments: argparse.Namespace, db: Path) -> list[str]:
    limit = [] if arguments.limit is None else ["--limit", str(arguments.limit)]
    return [sys.executable, "-m", "alignbench", "run", arguments.experiment, *limit, "--db", str(db)]


def drawn(db: Path) -> list[tuple[Place, tuple[object, ...]]]:
    """Every sample that is done, with its text and the bytes of its tokens."""
    with Store.open(db) as store:
        rows = [row for info in store.sessions() for row in store.samples(info.id) if row.status == "done"]
        tokens = {
            row["sample_id"]: (row["ids"], row["logprob"])
            for row in store.db.query("SELECT sample_id, ids, logprob FROM sample_tokens")
        }
    return [
        ((row.prompt_id, row.condition, row.sample), (row.text, row.seed, *tokens[row.id]))
        for row in rows
        if row.id in tokens
    ]


def killed_after(seconds: float, arguments: argparse.Namespace, db: Path) -> bool:
    """Run, and kill; whether it was killed before it had ended."""
    running = subprocess.Popen(command(arguments, db), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        running.kill()
    return running.wait() != 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--experiment", default="quick")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        plain, disturbed = Path(folder, "plain.db"), Path(folder, "disturbed.db")
        began = time.monotonic()
        subprocess.run(command(arguments, plain), check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        expected = drawn(plain)
        print(f"undisturbed: {len(expected)} samples in {took:.0f} s", flush=True)
        kills = 0
        while kills < arguments.kills:
            moment = rng.uniform(0, 3 * took / arguments.kills)
            if not killed_after(moment, arguments, disturbed):
                break  # it ended first: nothing is left to be disturbed
            kills += 1
            there = len(drawn(disturbed)) if disturbed.exists() else 0
            print(f"kill {kills} after {moment:.1f} s: {there} samples", flush=True)
        subprocess.run(command(arguments, disturbed), check=True, stdout=subprocess.DEVNULL)
        found = drawn(disturbed)
    places = [place for place, _ in found]
    wanted = dict(expected)
    missing, twice = len(wanted.keys() - set(places)), len(places) - len(set(places))
    changed = sum(wanted.get(place) != content for place, content in found)
    print("| kills | samples | missing | twice | not the same |\n|---:|---:|---:|---:|---:|")
    print(f"| {kills} | {len(expected)} | {missing} | {twice} | {changed} |")
    return int(bool(missing or twice or changed))


if __name__ == "__main__":
    sys.exit(main())
