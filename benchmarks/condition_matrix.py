"""The matrix of conditions from embeddings that are kept, and from words: 20 conditions, 50 prompts, 10 samples a cell.

    python benchmarks/condition_matrix.py

A session of 10,000 samples of 200 words with a vector each is filled first, which is not counted. Prints rows of the
table in benchmarks/README.md; ends with 1 where the matrix from kept embeddings takes longer than its target.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from alignbench.metrics.statistics import Uncertainty
from alignbench.scoring.condition_matrix import condition_matrix
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import Condition, Model, Prompt, content_hash, default_context
from alignbench.store import Store

CONDITIONS, PROMPTS, SAMPLES, WORDS, DIMENSIONS = 20, 50, 10, 200, 384
TARGET = 2.0  # seconds
EMBEDDER = "made"


def fill(store: Store) -> int:
    """A session of made-up samples and vectors."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(5_000)])
    model = Model("demo-base", "demo-base", "base")
    session = store.create_session("matrix")
    for p in range(PROMPTS):
        vectors = {}
        for c in range(CONDITIONS):
            condition = Condition(f"c{c}", model, default_context(model), seed=1000 * c)
            cell = store.add_cell(session, Prompt(f"p{p}", f"Question {p}?"), condition, SAMPLES)
            for i in range(SAMPLES):
                text = " ".join(rng.choice(words, WORDS))
                store.add_text(cell, i, text, raw_text=text, finish_reason="stop")
                vectors[content_hash(text)] = rng.normal(size=DIMENSIONS).astype(np.float32)
        store.add_embeddings(EMBEDDER, vectors, windows=dict.fromkeys(vectors, 1), mode="mean")
    return session


def main() -> int:
    late = False
    print("| matrix of 20 conditions, 50 prompts, 10 samples | seconds | at most |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.db"
        with Store.open(path) as store:
            session = fill(store)
        for metric, what, target in (
            ("embedding_similarity", "from kept embeddings, with intervals", TARGET),
            ("jaccard", "by words, with intervals", None),
        ):
            with Store.read(path) as store:
                began = time.perf_counter()
                vectors = Embeddings(store, None, EMBEDDER, "")
                matrix = condition_matrix(metric, SessionResponses(store, session), vectors, Uncertainty())
                took = time.perf_counter() - began
            assert not np.isnan(matrix.values()).any()
            print(f"| {what} | {took:.2f} | {'' if target is None else f'{target:g}'} |", flush=True)
            late |= target is not None and took > target
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
