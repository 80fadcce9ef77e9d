"""Lexical similarity freed of length: longer responses share more words by chance, so all speak with as many.

From each response random sentences are drawn until a budget of words is full; beside it stand the first words of
responses, which are what they are: openings.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from alignbench.reports.cells import Texts, cell_values
from alignbench.reports.estimates import Column, difference_entries, mean_entry
from alignbench.scores.sentences import sentences
from alignbench.scores.statistics import Bootstrap
from alignbench.scores.values import Mode
from alignbench.scoring.responses import Responses, opening
from alignbench.spec import content_hash

OPENING = 50  # words
METRIC = "jaccard"


def equal_length_table(
    responses: Responses, mode: Mode, reference: str | None, bootstrap: Bootstrap, seed: int = 0
) -> dict[str, Any]:
    """{"metric", "words", "equal", "opening"}: by condition the mean over prompts and its difference to the reference.

    words: mean budget; a prompt's is the smallest of the conditions' median lengths. A response that is shorter speaks
    with all it has. Which sentences are drawn depends on the seed and the response alone.
    """
    columns: dict[str, dict[str, dict[str, float | None]]] = {"equal": {}, "opening": {}}
    budgets = []
    for prompt in responses.prompts:
        cells = responses.cells(prompt)
        lengths = [_lengths(texts, mode) for texts in cells.values()]
        if not any(lengths):
            continue
        budget = min(int(statistics.median(there)) for there in lengths if there)
        budgets.append(budget)
        for name, texts in cells.items():
            cut = {"equal": {i: _drawn(text, budget, mode, seed) for i, text in texts.items()},
                   "opening": {i: opening(text, OPENING) for i, text in texts.items()}}  # fmt: skip
            for way, shown in cut.items():
                columns[way].setdefault(name, {})[prompt] = cell_values(shown, (METRIC,), mode, None)[METRIC].value
    return {
        "metric": METRIC,
        "words": statistics.fmean(budgets) if budgets else None,
        "equal": _entries(columns["equal"], reference, bootstrap),
        "opening": _entries(columns["opening"], reference, bootstrap),
    }


def _entries(columns: Mapping[str, Column], reference: str | None, bootstrap: Bootstrap) -> dict[str, Any]:
    pairs = {}
    if reference is not None and reference in columns:
        pairs = {name: (column, columns[reference]) for name, column in columns.items() if name != reference}
    differences = difference_entries(pairs, bootstrap)
    return {
        name: {
            **mean_entry(column, bootstrap, "no prompt has two responses"),
            **({"difference": differences[name]} if name in differences else {}),
        }
        for name, column in columns.items()
    }


def _lengths(texts: Texts, mode: Mode) -> list[int]:
    """In words, of the responses that have any."""
    return [n for text in texts.values() if (n := len(mode.words(text)))]


def _drawn(text: str, n_words: int, mode: Mode, seed: int) -> str:
    """Random sentences of a text in random order, the last one cut so that they have `n_words` words, or all of it."""
    pieces = sentences(text)
    order = np.random.default_rng([seed, int(content_hash(text)[:16], 16)]).permutation(len(pieces))
    return " ".join(_until_full((pieces[i] for i in order), n_words, mode))


def _until_full(pieces: Iterator[str], n_words: int, mode: Mode) -> Iterator[str]:
    left = n_words
    for piece in pieces:
        if left <= 0:
            return
        yield opening(piece, left)
        left -= len(mode.words(piece))
