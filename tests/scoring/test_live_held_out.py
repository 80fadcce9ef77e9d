"""Live scores against the reference's samples that a context is not made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import Cross
from alignbench.scoring.live import LiveScores
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store

SOURCE_SAMPLES = frozenset({0})


def held_out(live: LiveScores) -> Cross:
    scores = live.prompt_scores("p", ["student"], "teacher", sources={"student": SOURCE_SAMPLES})
    return scores.held_out.cross["student"]["jaccard"]


def test_held_out_leaves_the_source_out_before_and_after_new_samples(tmp_path: Path) -> None:
    """Known answer: the same cells scored with the source sample never added."""
    teacher, student = ["red apples", "blue plums", "red plums"], ["red apples", "green plums"]
    with Store.open(tmp_path / "x.db") as store:
        session, model = store.create_session("s"), Model("m", "m", "base")
        rows = []
        for seed, (name, texts) in enumerate((("teacher", teacher), ("student", student))):
            cell = store.add_cell(
                session, Prompt("p", "Why?"), replace(Condition.zero_shot(model), name=name, seed=seed), 3
            )
            rows += [store.add_text(cell, i, text, raw_text=text, finish_reason="stop") for i, text in enumerate(texts)]
    live = LiveScores(tmp_path / "x.db", None, lambda: None)
    late = rows.pop(2)
    for row in rows:
        live.add(row)
    apart, own = CellScores(), CellScores()
    apart.add(1, teacher[1])
    for i, text in enumerate(student):
        own.add(i, text)
    got = held_out(live)
    assert got.value == pytest.approx(CellPair(apart, own).cross()["jaccard"].value)
    live.add(late)
    apart.add(2, teacher[2])
    expected = CellPair(apart, own).cross()["jaccard"]
    assert held_out(live).value == pytest.approx(expected.value)
    assert live.prompt_scores("p", ["student"], "teacher").held_out.cross["student"]["jaccard"].value != pytest.approx(
        expected.value
    )
    live.close()
