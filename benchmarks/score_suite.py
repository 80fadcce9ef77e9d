"""The suite of lexical and overlap scores against the packages that define them: `python benchmarks/score_suite.py`.

100 responses of 480 words, English words with Zipf's frequencies. Every ratio is of two times measured in this run, in
CPU seconds, since the machine may be shared. A baseline whose cost grows with pairs is timed on the share of its work
that the table names and multiplied by the number of shares, which is exact for a cost that is the same for each pair.
Prints a table in Markdown; ends with 1 where a target is missed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import gzip
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from math import log
from pathlib import Path

import nltk
import numpy as np
from _score_texts import texts
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.util import ngrams as nltk_ngrams
from rouge_score.rouge_scorer import RougeScorer
from vendi_score.vendi import score_K

from alignbench.errors import AlignbenchError
from alignbench.metrics import registry
from alignbench.metrics.paper import paper_mode
from alignbench.metrics.running_cell import CellScores
from alignbench.metrics.values import WORKBENCH, Response, WordMode

N = 100
SLOW_PAIRS = 40  # pairs that a plain subsequence in Python, or rouge-score, is timed on
SLOW_BLEU = 10  # responses that NLTK's BLEU is timed on
SUITE = tuple(name for name in registry.within(registry.live()) if "embeddings" not in registry.METRICS[name].needs)


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Median CPU seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def ours(responses: Sequence[str], *metrics: str, mode: WordMode = WORKBENCH) -> dict[str, float | None]:
    cell = CellScores(metrics, mode)
    for i, text in enumerate(responses):
        cell.add(i, text)
    return {name: value.value for name, value in cell.within().items()}


def plain_lcs(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], diagonal + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def paper_loops(responses: Sequence[str], mode: WordMode) -> float:
    """Bags by NLTK, then two loops over the responses."""
    bags = [{word for word in mode.words(text) if word not in mode.stop_words} for text in responses]
    values = []
    for i in range(len(bags)):
        for j in range(i + 1, len(bags)):
            values.append(len(bags[i] & bags[j]) / len(bags[i] | bags[j]))
    return sum(values) / len(values)


def nltk_self_bleu(words: Sequence[Sequence[str]], share: int) -> float:
    smoothing = SmoothingFunction().method1
    scores = [
        sentence_bleu([*words[:i], *words[i + 1 :]], words[i], smoothing_function=smoothing) for i in range(share)
    ]
    return sum(scores) / share


def n_gram_package(words: Sequence[Sequence[str]]) -> None:
    """Distinct-n, n-gram diversity and self-repetition with NLTK's n-grams, as the packages count them."""
    for order in (1, 2, 3, 4):
        found = [gram for text in words for gram in nltk_ngrams(text, order)]
        len(set(found)) / len(found)
    four = [list(nltk_ngrams(text, 4)) for text in words]
    counts = Counter(gram for grams in four for gram in grams)
    sum(log(1 + sum(counts[gram] - 1 for gram in grams)) for grams in four)


def vendi_package(words: Sequence[Sequence[str]]) -> float:
    """Kernels by scikit-learn's counts, as vendi_score's own text functions make them; then its score."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    kernels = []
    for order in (1, 2):
        counts = CountVectorizer(analyzer=lambda text, n=order: list(nltk_ngrams(text, n))).fit_transform(words)
        unit = normalize(counts.astype(float))
        kernels.append((unit @ unit.T).toarray())
    return float(score_K(np.mean(kernels, axis=0)))


def one_more(n: int) -> float:
    """Milliseconds for one more sample beside n: all live scores but embeddings, added and read."""
    cell = CellScores(SUITE)
    for i, text in enumerate(texts(n, seed=1)):
        cell.add(i, text)
    cell.within()
    times = []
    for i, text in enumerate(texts(15, seed=2)):
        start = time.process_time()
        cell.add(n + i, text)
        cell.within()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def main() -> int:
    responses = texts(N, seed=0)
    words = [Response(i, text).words for i, text in enumerate(responses)]
    pairs = list(combinations(range(N), 2))
    some = pairs[:: len(pairs) // SLOW_PAIRS]
    per_pair = len(pairs) / len(some)
    rows: list[tuple[str, float, float, float, str]] = []  # what, seconds of ours and of theirs, at least, timed on

    plain = per_pair * seconds(lambda: [plain_lcs(words[i], words[j]) for i, j in some])
    rouge = seconds(lambda: ours(responses, "rouge_l"), 3)
    timed = f"{len(some)} of {len(pairs)} pairs"
    rows.append(("ROUGE-L against the plain subsequence in Python", rouge, plain, 500, timed))

    bleu = N / SLOW_BLEU * seconds(lambda: nltk_self_bleu(words, SLOW_BLEU))
    self_bleu = seconds(lambda: ours(responses, "self_bleu"), 3)
    rows.append(("self-BLEU against NLTK", self_bleu, bleu, 30, f"{SLOW_BLEU} of {N} responses"))

    scorer = RougeScorer(["rougeL"])
    packages = bleu + per_pair * seconds(lambda: [scorer.score(responses[i], responses[j]) for i, j in some])
    for package in (
        lambda: n_gram_package(words),
        lambda: vendi_package(words),
        lambda: gzip.compress("\n".join(responses).encode()),
    ):
        packages += seconds(package)
    suite = seconds(lambda: ours(responses, *SUITE), 3)
    what = "all lexical and overlap scores against rouge-score, NLTK, scikit-learn with vendi-score and gzip together"
    rows.append((what, suite, packages, 100, "ROUGE-L and self-BLEU as above, else all"))

    try:
        mode = paper_mode()
    except AlignbenchError as error:
        print(f"Paper mode is left out. {error}", file=sys.stderr)
    else:
        loops, own = [], []
        for _ in range(5):
            loops.append(seconds(lambda: paper_loops(responses, mode)))
            own.append(seconds(lambda: ours(responses, "jaccard", mode=mode)))
        rows.append(("Jaccard in paper mode against the paper's two loops", min(own), min(loops), 1, "all"))

    print("| what, 100 responses of 480 words | alignbench, ms | measured against, ms | ratio | at least | timed on |")
    print("|---|---:|---:|---:|---:|---|")
    missed = False
    for what, mine, theirs, least, share in rows:
        ratio = theirs / mine
        missed |= ratio < least
        print(f"| {what} | {1000 * mine:,.0f} | {1000 * theirs:,.0f} | {ratio:,.1f} | {least} | {share} |")

    print("\n| one more sample, all live scores but embeddings | ms | under |\n|---|---:|---:|")
    for n, limit in ((10, 10), (100, 60)):
        took = one_more(n)
        missed |= took >= limit
        print(f"| beside {n} | {took:.1f} | {limit} |")
    return int(missed)


if __name__ == "__main__":
    shared = Path(__file__).parents[2] / "shared" / "data" / "nltk_data"
    if shared.is_dir():
        nltk.data.path.append(str(shared))
    sys.exit(main())
