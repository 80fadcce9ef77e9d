"""A large session database: listing, searching and resuming it, and what the search index costs the write path.

    python benchmarks/store.py                       # 100,000 samples
    python benchmarks/store.py --samples 1000000

Samples of 60 words with the frequencies of English, 5 a cell; all are of one session, beside 200 small ones. The set
difference of resume is measured against `select count(*)` over the same join, and a write against one to the same file
without the index. Prints rows of the table in benchmarks/README.md; ends with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from alignbench.experiments.plan import preview
from alignbench.spec import Condition, Model, Prompt, content_hash, default_context
from alignbench.store import Store

N_CONDITIONS, N = 10, 5
SMALL_SESSIONS = 200
WORDS, VOCABULARY = 60, 50_000
ROUNDS = 5
WRITES = 1000
TARGET_MS = 200.0
TARGET_RATIO = 3.0
QUERIES = {
    "a word that nearly every sample holds": "word0",
    "three common words": "word3 word10 word30",
    "a rare word": "word40000",
    "two words side by side": '"word50 word20"',
    "a word that none holds": "nowhere",
}

MODEL = Model("demo-base", "demo-base", "base")
CONDITIONS = [Condition(f"c{i}", MODEL, default_context(MODEL), seed=1000 * i) for i in range(N_CONDITIONS)]


def prose(n: int) -> Iterator[str]:
    """n texts whose words follow Zipf's law: word0 is as common as "the"."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(2, VOCABULARY + 2)
    chances /= chances.sum()
    words = [f"word{i}" for i in range(VOCABULARY)]
    while n > 0:
        drawn = rng.choice(VOCABULARY, size=(min(n, 10_000), WORDS), p=chances)
        yield from (" ".join([words[i] for i in row]) for row in drawn)
        n -= len(drawn)


def fill(store: Store, samples: int) -> tuple[int, list[Prompt]]:
    """The session that holds the samples, and its prompts."""
    prompts = [Prompt(f"p{i}", f"Question {i}?") for i in range(samples // (N_CONDITIONS * N))]
    with store.together():
        for number in range(SMALL_SESSIONS):
            small = store.create_session(f"small {number}")
            cell = store.add_cell(small, Prompt("p", "Why?"), CONDITIONS[0], N)
            store.add_text(cell, 0, "because", raw_text="because", finish_reason="stop")
        session = store.create_session("large")
        cells = [store.add_cell(session, prompt, condition, N) for condition in CONDITIONS for prompt in prompts]
        places = itertools.product(cells, range(N))
        store.db.conn.executemany(
            "INSERT INTO samples (cell_id, sample, seed, status, finish_reason, created, text_hash, text, raw_text) "
            "VALUES (?, ?, ?, 'done', 'stop', '2026-01-01', ?, ?, ?)",
            (
                (cell, i, i, content_hash(text), text, text)
                for (cell, i), text in zip(places, prose(samples), strict=False)
            ),
        )
    return session, prompts


def best_ms(call: Callable[[], object]) -> float:
    """Milliseconds of the quickest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def count(store: Store, session: int) -> int:
    """The plain query that reads what resuming has to read."""
    query = """
        SELECT count(*) FROM samples JOIN cells ON cells.id = samples.cell_id
        JOIN prompts ON prompts.id = cells.prompt_id JOIN conditions ON conditions.id = cells.condition_id
        WHERE cells.session_id = ? AND samples.status = 'done'
    """
    return int(store.db.execute(query, [session]).fetchone()[0])


def write_ms(store: Store, texts: list[str]) -> float:
    """Processor milliseconds of one more sample with a commit of its own."""
    cell = store.add_cell(1, Prompt.typed(texts[0]), CONDITIONS[0], len(texts))
    began = time.process_time()
    for i, text in enumerate(texts):
        store.add_text(cell, i, text, raw_text=text, finish_reason="stop")
    return (time.process_time() - began) * 1000 / len(texts)


def size(store: Store) -> int:
    """Bytes of the file."""
    return int(store.db.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0])


def drop_index(store: Store) -> None:
    """What the file would be without a search; the pages stay, free."""
    for what in ("insert", "update", "delete"):
        store.db.execute(f"DROP TRIGGER samples_fts_{what}")
    store.db.execute("DROP TABLE samples_fts")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=100_000)
    samples = parser.parse_args().samples
    missed = False
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "sessions.db") as store:
        session, prompts = fill(store, samples)
        print(f"| what, {samples:,} samples of {WORDS} words | ms | at most |\n|---|---:|---:|")
        timed = {"list of 201 sessions": store.sessions}
        for what, query in QUERIES.items():
            timed[f"search, newest 20: {what}"] = lambda query=query: store.search(query, 20)
        for what, call in timed.items():
            ms = best_ms(call)
            missed |= ms > TARGET_MS
            print(f"| {what} | {ms:.1f} | {TARGET_MS:.0f} |")
        plain = best_ms(lambda: count(store, session))
        resumed = best_ms(lambda: preview(store, session, prompts, CONDITIONS, N))
        missed |= resumed > TARGET_RATIO * plain
        print(f"| `select count(*)` over the samples of the large session | {plain:.0f} | |")
        print(
            f"| what is missing in it, cell by cell | {resumed:.0f} | {TARGET_RATIO:.0f}x, is {resumed / plain:.1f}x |"
        )
        texts = list(prose(2 * WRITES))
        with_index, before = write_ms(store, texts[:WRITES]), size(store)
        drop_index(store)
        free = store.db.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
        share = free.fetchone()[0] / before
        without = write_ms(store, texts[WRITES:])
        print(f"| processor time of a sample's commit, with the index / without | {with_index:.2f} / {without:.2f} | |")
        print(f"| the file, MB, and the share of it that is the index | {before / 1e6:.0f}, {share:.0%} | |")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
