"""Cells counted at once have the values of cells that grew."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.metrics import lexical, registry
from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.counted_cell import CountedCell, counted_cells
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import stable_order
from alignbench.metrics.porter import stem
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WORKBENCH, Cross, Value
from alignbench.metrics.word_table import Documents
from tests.support.embeddings import vector
from tests.support.texts import HOSTILE, JANE, T3, texts


def embedded(cell: ScoredCell, responses: Sequence[str]) -> None:
    for i, text in enumerate(responses):
        if text.strip():
            cell.add_embedding(i, vector(text))


def grown(responses: Sequence[str]) -> CellScores:
    cell = CellScores(registry.live())
    for i, text in enumerate(responses):
        cell.add(i, text)
    embedded(cell, responses)
    return cell


def counted(*cells: Sequence[str], lexicon: Lexicon | None = None) -> list[CountedCell]:
    known = lexicon or Lexicon(WORKBENCH, stem)
    scored = counted_cells([Documents.of(dict(enumerate(cell)), known) for cell in cells], known, registry.live())
    for cell, responses in zip(scored, cells, strict=True):
        embedded(cell, responses)
    return scored


def equal(actual: dict[str, Value] | dict[str, Cross], expected: dict[str, Value] | dict[str, Cross]) -> None:
    assert list(actual) == list(expected)
    for name, score in expected.items():
        value = actual[name]
        assert (value.reason, value.skipped) == (score.reason, score.skipped), name
        for field in ("value", "n", "n_pairs", "sd", "ceiling", "ceiling_reason", "mmd2"):
            wanted = getattr(score, field, None)
            close = pytest.approx(wanted, abs=1e-9) if isinstance(wanted, float) else wanted
            assert getattr(value, field, None) == close, (name, field)


def all_equal(*cells: Sequence[str]) -> None:
    ours, theirs = counted(*cells), [grown(cell) for cell in cells]
    for mine, other in zip(ours, theirs, strict=True):
        equal(mine.within(), other.within())
    for i, j in product(range(len(cells)), repeat=2):
        equal(CellPair(ours[i], ours[j]).cross(), CellPair(theirs[i], theirs[j]).cross())
        for metric in ("jaccard", "jaccard_2", "jaccard_stem", "rouge_l", "embedding_similarity"):
            mine = CellPair(ours[i], ours[j]).similarities(metric)
            other = CellPair(theirs[i], theirs[j]).similarities(metric)
            assert np.sort(mine) == pytest.approx(np.sort(other), abs=1e-12)


@settings(deadline=None)  # forty scores an example
@given(st.lists(st.lists(texts, max_size=6), min_size=1, max_size=3))
def test_counting_at_once_is_counting_one_by_one(cells: list[list[str]]) -> None:
    all_equal(*cells)


def test_on_longer_texts_that_share_much() -> None:
    draw = random.Random(0)
    lexicon = [f"w{i}" for i in range(60)] + ["the", "of", "runs", "running"]
    cells = [[" ".join(draw.choices(lexicon, k=draw.randrange(120))) for _ in range(8)] for _ in range(3)]
    all_equal(*cells, [*T3, *T3, ""], JANE, HOSTILE, [])


def test_a_matrix_that_is_too_large_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted(T3, JANE)
    expected = CellPair(whole[0], whole[1]).cross()
    monkeypatch.setattr(lexical, "_LARGEST", 8)
    parts = counted(T3, JANE)
    equal(CellPair(parts[0], parts[1]).cross(), expected)
    equal(parts[0].within(), grown(T3).within())


def test_words_met_before_change_nothing() -> None:
    lexicon = Lexicon(WORKBENCH, stem)
    counted(JANE, HOSTILE, lexicon=lexicon)
    equal(counted(T3, lexicon=lexicon)[0].within(), grown(T3).within())


def test_a_score_that_is_not_run_is_not_there() -> None:
    lexicon = Lexicon(WORKBENCH, stem)
    (cell,) = counted_cells([Documents.of({3: "a cat", 1: "a dog"}, lexicon)], lexicon, ("jaccard", "mattr"))
    assert list(cell.within()) == ["jaccard", "mattr", "duplicates", "empty"]
    assert 3 in cell
    with pytest.raises(KeyError):
        cell.similarity("distinct_2")


@given(st.lists(st.integers(0, 2**62), max_size=20))
def test_a_stable_order_whether_or_not_keys_leave_room(keys: list[int]) -> None:
    for some in (np.array(keys, np.int64), np.array(keys, np.int64) % 5):
        assert (stable_order(some) == np.argsort(some, kind="stable")).all()
