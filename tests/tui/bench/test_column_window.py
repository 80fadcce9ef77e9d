"""Which columns are in sight, and what their borders say."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.spec import Condition, Model
from alignbench.tui.bench.column_head import CellProgress, foot, progress, title
from alignbench.tui.bench.column_window import window
from alignbench.tui.sizes import side_by_side
from alignbench.tui.text import cells, middle_cut
from alignbench.tui.workbench.cell import BenchCell
from alignbench.tui.workbench.column import Column


@pytest.mark.parametrize(
    ("width", "columns"), [(71, 1), (72, 2), (80, 2), (109, 2), (110, 3), (120, 3), (150, 4), (190, 5), (240, 6)]
)
def test_how_many_fit(width: int, columns: int) -> None:
    assert side_by_side(width) == columns
    assert columns == 1 or width // columns >= 36


def test_the_reference_stays_and_the_others_pass_by() -> None:
    before, seen = 0, []
    for selected in (0, 1, 2, 5, 7, 6, 5, 4, 0, 1):
        shown = window(8, 2, selected=selected, reference=0, before=before)
        before = len(shown.before)
        seen.append(shown.shown)
    assert seen == [(0, 1), (0, 1), (0, 2), (0, 5), (0, 7), (0, 6), (0, 5), (0, 4), (0, 4), (0, 1)]
    pinned = window(8, 3, selected=0, reference=4)
    assert pinned.shown == (4, 0, 1)
    assert pinned.after == (2, 3, 5, 6, 7)
    assert pinned.order[:3] == (4, 0, 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(0, 40), room=st.integers(1, 9), before=st.integers(0, 40))
def test_nothing_is_lost(data: st.DataObject, count: int, room: int, before: int) -> None:
    places = st.integers(0, max(0, count - 1))
    selected, reference = data.draw(places), data.draw(st.none() | places)
    shown = window(count, room, selected=selected, reference=reference, before=before)
    assert len(shown.shown) == min(count, room)
    assert sorted((*shown.shown, *shown.before, *shown.after)) == list(range(count)) == sorted(shown.order)
    assert count == 0 or selected in shown.shown
    if count > room > 1 and reference is not None:
        assert shown.shown[0] == reference


NAMES = ("A", "demo-aligned", "meta-llama/Llama-3.1-8B-Instruct + nearest-3-summary", "日本語の模型" * 9, "⚠️ ❤️" * 9)
WORDS = (("done",), ("cut",), ("loading 45% ████░░░░", "loading 45%"), ("reading the prompt", "reading"), ())


def test_a_load_that_says_what_it_is_at_shows_it_where_there_is_room() -> None:
    cell = BenchCell(status="loading", fraction=0.5, stage="graphs")
    assert progress(cell, 5).words == ("loading graphs 50% ████░░░░", "loading graphs 50%", "loading 50%")
    assert progress(replace(cell, stage=""), 5).words == ("loading 50% ████░░░░", "loading 50%")


def test_a_head_keeps_its_count() -> None:
    for width, name, words in itertools.product((30, 34, 50, 114), NAMES, WORDS):
        first = Condition.zero_shot(Model("m", "m", "base"), name=name)
        versions = tuple(replace(first, seed=seed) for seed in range(11))
        for column in (Column(first), Column(versions[10], versions=versions)):
            head = title(26, column, CellProgress("100/100", words), reference=True, selected=False, width=width)
            assert head.cell_length == width
            assert head.plain.startswith("AA* ")
            assert head.plain.split("─ ")[1].startswith("100/100")
            assert not column.versions or " v11/11 ─" in head.plain
            if name in head.plain:
                continue
            assert "…" in head.plain
            assert head.plain.split("…")[0][4] == name[0], "a name keeps its beginning"
            assert cells(name) > width - 26, "a name is cut only where there is no room"


def test_a_name_loses_its_middle_only_where_it_must() -> None:
    column = Column(Condition.zero_shot(Model("m", "m", "base"), name="meta-llama/Llama-3.1-8B-Instruct"))
    done = progress(BenchCell(), 3)
    assert (done.count, done.words) == ("0/3", ("not sampled",))
    assert (
        "meta-llama/Llama-3.1-8B-Instruct ─" in title(1, column, done, reference=False, selected=False, width=60).plain
    )
    short = title(1, column, done, reference=False, selected=True, width=34).plain
    assert short == "B meta-ll…struct ━ 0/3 not sampled"


@pytest.mark.parametrize("count", [3, 8, 30, 80])
@pytest.mark.parametrize("width", [30, 34])
def test_the_foot_has_the_hidden_letters(count: int, width: int) -> None:
    for selected in (1, count // 2, count - 1):
        shown = window(count, 2, selected=selected, reference=0, before=0)
        said = foot(shown, count, width)
        assert said.cell_length <= width
        assert f"{selected + 1} of {count}" in said.plain
    assert foot(window(8, 2, selected=1, reference=0), 8, 34).plain.split() == [
        *["2", "of", "8", "C", "D", "E", "F", "G", "H", "▸"]
    ]


@pytest.mark.parametrize("text", ["⚠️❤️" * 9, "👨‍👩‍👧‍👦🇩🇪" * 9, "日本語" * 9, "a" * 40, "e\u0301" * 40])
def test_a_cut_name_has_the_width_it_may_have(text: str) -> None:
    for width in range(1, 50):
        assert cells(middle_cut(text, width)) <= width
