"""`alignbench score` over thousands of responses: time, memory, growth, and embeddings.

    python benchmarks/score_command.py [--texts N] [--skip-embeddings]

8 conditions x 10 samples of 480 words on 50 prompts, 4,000 responses; growth is measured against three times as many,
or against N. The times of a whole command are its own, start and file included, so the time of tokenizing the same
texts in a loop is the smallest that they could be compared with. Prints a table in Markdown; ends with 1 where a target
is missed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _score_texts import texts

from alignbench.engines.embedder import DEFAULT_EMBEDDER, Embedder, default_embedder_path
from alignbench.engines.workers.pool import WorkerPool
from alignbench.metrics.words import words
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.store import Store

CONDITIONS, SAMPLES, PROMPTS = 8, 10, 50
EMBEDDED = 16  # responses
ROUNDS = 3
ROW = "| {} | {} | {} | {} | {} |"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a command: seconds on the clock and of CPU, megabytes of its largest process."""

    seconds: float
    cpu: float
    megabytes: float


def written(path: Path, responses: Sequence[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for i, text in enumerate(responses):
            condition, prompt = i // SAMPLES % CONDITIONS, i // (SAMPLES * CONDITIONS)
            line = {"prompt_id": f"p{prompt}", "condition": f"c{condition}", "text": text}
            file.write(json.dumps(line) + "\n")
    return path


def command(path: Path, metrics: str, cores: set[int]) -> Cost:
    """`alignbench score` on these cores."""
    arguments = ["score", "--file", str(path), "--metrics", metrics, "--embedder", "none", "--reference", "c0"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "alignbench", *arguments, "--floor", "c1", "--json"],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"alignbench score ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def tokenizing(responses: Sequence[str]) -> tuple[float, float]:
    """Seconds on the clock and of CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    for text in responses:
        words(text)
    return time.perf_counter() - began, time.process_time() - cpu


def scoring_rows(folder: Path, n: int) -> bool:
    """Time, memory and growth; whether a target was missed."""
    prompts = PROMPTS * CONDITIONS * SAMPLES
    responses = texts(max(n, prompts), seed=5)
    some = written(folder / "some.jsonl", responses[:prompts])
    more = written(folder / "more.jsonl", responses[:n])
    cores = os.sched_getaffinity(0)
    one = {min(cores)}
    tokenized, together, alone, lengths = [], [], [], []
    for _ in range(ROUNDS):
        tokenized.append(tokenizing(responses[:prompts]))
        together.append(command(some, "live", cores))
        alone.append(command(some, "live", one))
        lengths.append(command(some, "words", one))
    clock, cpu = (min(times) for times in zip(*tokenized, strict=True))
    fastest = min(cost.seconds for cost in together)
    least = min(cost.cpu for cost in alone)
    only_words = min(cost.cpu for cost in lengths)
    grown = command(more, "live", one)
    growth = (grown.cpu / n) / (least / prompts)
    megabytes = max(cost.megabytes for cost in (*together, grown)) * (1 + len(cores))
    on = f"{len(cores)} core{'s' if len(cores) != 1 else ''}"
    print(ROW.format(f"{prompts:,} texts, {on}, s / only tokenizing them, s", f"{fastest:.2f}", f"{clock:.2f}",
                     f"{fastest / clock:.1f}", "at most 3"))  # fmt: skip
    print(ROW.format("the same in one process, CPU s", f"{least:.2f}", f"{cpu:.2f}", f"{least / cpu:.1f}", ""))
    print(ROW.format("the same against the command with `--metrics words`, CPU s", f"{least:.2f}",
                     f"{only_words:.2f}", f"{least / only_words:.1f}", ""))  # fmt: skip
    print(ROW.format(f"CPU of a text, {n:,} texts / {prompts:,}, ms", f"{1000 * grown.cpu / n:.2f}",
                     f"{1000 * least / prompts:.2f}", f"{growth:.2f}", "at most 1.05"))  # fmt: skip
    print(ROW.format("memory of all processes, each taken as the largest, MB", f"{megabytes:.0f}", "", "",
                     "at most 1,500"))  # fmt: skip
    return fastest > 3 * clock or growth > 1.05 or megabytes > 1500


def embedding_rows(folder: Path) -> bool:
    """Windows a second of CPU time, beside SentenceTransformer.encode on the same windows."""
    responses = texts(EMBEDDED, seed=9)
    embedder = Embedder(str(default_embedder_path()))
    ids, _ = embedder._windows(responses)
    tokenizer = embedder._tokenizer
    windows = [tokenizer.decode(window, skip_special_tokens=True) for window in ids]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        embedder.embed(responses)
        ours.append(time.process_time() - began)
        began = time.process_time()
        embedder._model.encode(windows, show_progress_bar=False)
        theirs.append(time.process_time() - began)
    mine, encode = len(ids) / min(ours), len(ids) / min(theirs)
    print(ROW.format("embedding, windows / CPU s / SentenceTransformer.encode", f"{mine:.1f}", f"{encode:.1f}",
                     f"{mine / encode:.2f}", "at least 0.9"))  # fmt: skip
    took, again = [kept(folder / "vectors.db", responses) for _ in range(2)]
    print(ROW.format("kept embeddings of the same texts, ms a text, / making them", f"{1000 * again / EMBEDDED:.2f}",
                     f"{1000 * took / EMBEDDED:.0f}", f"{again / took:.4f}", ""))  # fmt: skip
    return mine < 0.9 * encode


def kept(database: Path, responses: Sequence[str]) -> float:
    """Seconds on the clock to have the vectors in a database, where they stay."""
    pool = WorkerPool(threads=2 * len(os.sched_getaffinity(0)), embedder=default_embedder_path())
    try:
        with Store.open(database) as store:
            began = time.perf_counter()
            embeddings = Embeddings(store, pool, DEFAULT_EMBEDDER)
            embeddings.make(responses)
            assert len(embeddings.vectors(responses)) == len(responses)
            return time.perf_counter() - began
    finally:
        pool.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=3 * PROMPTS * CONDITIONS * SAMPLES, metavar="N")
    parser.add_argument("--skip-embeddings", action="store_true")
    arguments = parser.parse_args()
    print("| what | alignbench | measured against | ratio | target |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        missed = scoring_rows(Path(folder), arguments.texts)
        if not arguments.skip_embeddings:
            missed |= embedding_rows(Path(folder))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
