"""What marks a column that differs from the reference though nobody studies it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alignbench.experiments.condition_changes import changes
from alignbench.experiments.confounds import confounds
from alignbench.spec import Condition, Context, Model, Sampling
from alignbench.tui.condition_text import settings
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.confounds import confound_mark, confounds_of
from tests.support.app import ALIGNED, BASE

REFERENCE = Column(Condition.zero_shot(ALIGNED), 5)
OTHER = Column(Condition.zero_shot(BASE), 5)


def changed(column: Column, n: int = 5, seed: int = 0, mode: Any = "strict", **sampling: Any) -> Column:
    return Column(replace(column.condition, sampling=Sampling(**sampling), seed=seed, mode=mode), n)


@pytest.mark.parametrize(
    ("setting", "mark"),
    [
        ({"temperature": 1.0}, "≠ T"),
        ({"top_p": 0.9}, "≠ top-p"),
        ({"top_k": 40}, "≠ top-k"),
        ({"min_p": 0.1}, "≠ min-p"),
        ({"typical_p": 0.9}, "≠ typical-p"),
        ({"repetition_penalty": 1.1}, "≠ rep"),
        ({"max_tokens": 64}, "≠ max"),
        ({"stop": ("\n",)}, "≠ stops"),
        ({"seed": 5}, "≠ seed"),
        ({"mode": "fast"}, "≠ mode"),
        ({"n": 3}, "≠ n"),
        ({}, ""),
        ({"temperature": 0.0, "max_tokens": 9, "seed": 1, "mode": "fast", "n": 2}, "≠ T, max, seed +2"),
    ],
)
def test_all_that_differs_between_two_models_is_marked_but_their_own_layouts(setting: Any, mark: str) -> None:
    assert confound_mark(changed(OTHER, **setting), REFERENCE) == mark


def test_what_is_under_study_is_not_marked() -> None:
    warm = changed(REFERENCE, temperature=1.0)
    assert confounds_of(warm, REFERENCE) == [], "of one model it is sampling that is studied"
    assert confounds_of(REFERENCE, REFERENCE) == []
    assert confounds_of(OTHER, None) == []
    chat = Column(replace(OTHER.condition, context=Context("chat")), 5)
    assert confounds_of(chat, REFERENCE) == []
    swapped = Column(replace(REFERENCE.condition, context=Context("plain")), 5)
    assert confounds_of(replace(swapped, condition=replace(swapped.condition, model=BASE)), REFERENCE) == []
    assert confounds_of(changed(chat, temperature=1.0), REFERENCE) == ["temperature"]


def test_a_layout_that_is_not_the_models_own_is_marked() -> None:
    aligned = Column(replace(REFERENCE.condition, context=Context("plain")), 5)
    assert confounds_of(OTHER, aligned) == [], "they share it"
    chat = Column(replace(OTHER.condition, context=Context("chat")), 5)
    assert confounds_of(chat, aligned) == ["template"]


def test_a_setting_that_nobody_recorded_is_marked() -> None:
    imported = replace(OTHER.condition, unrecorded=frozenset({"temperature"}))
    assert confounds_of(Column(imported, 5), REFERENCE) == ["temperature"]


def test_an_adapter_and_its_scale_are_named() -> None:
    base, ours, half, other = (
        Condition.zero_shot(Model("m", f"llama:/base.gguf{adapter}", "base"))
        for adapter in ("", "+/ours.gguf", "+/ours.gguf*0.5", "+/other.gguf")
    )
    assert changes(ours, half) == [("adapter scale", "1", "0.5")]
    assert changes(base, half) == [("adapter", "none", "/ours.gguf*0.5")]
    assert changes(ours, other) == [("adapter", "/ours.gguf", "/other.gguf")]
    assert confounds(ours, half, ("model",)) == []
    assert confounds(ours, half, ("context",)) == [("adapter scale", "1", "0.5")]
    assert settings(half) == "base + ours x 0.5  T 0.7"
    assert settings(base) == "T 0.7"
