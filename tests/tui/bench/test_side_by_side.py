"""Columns beside one another at every width: the reference stays, the others pass by, and samples have room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.spec import Condition
from alignbench.tui.app import BenchApp
from alignbench.tui.bench import sample_list
from alignbench.tui.bench.columns import ColumnsView
from alignbench.tui.sizes import side_by_side
from alignbench.tui.text import cells
from alignbench.tui.workbench.column import Column, letter
from tests.support.app import BASE, heads, make_app, ready, sampled, screen_text, shows, until
from tests.support.fakes import FakePool

LONG = "⚠️ one ❤️ two 1️⃣ three 👨‍👩‍👧‍👦 four 🇩🇪 five 日本語 six e\u0301 seven " * 6


SIZES = ((72, 24), (80, 24), (110, 30), (120, 36), (160, 40), (200, 60), (60, 20))


def add_columns(app: BenchApp, count: int) -> None:
    bench = app.workbench.bench
    while len(bench.columns) < count:
        at = len(bench.columns)
        bench.add(Column(replace(Condition.zero_shot(BASE, name=f"base number {at}"), seed=100 * at), n=2))
    bench.select(0)
    app.workbench.changed()


@pytest.mark.parametrize("count", [1, 3, 8, 30])
async def test_columns_at_every_width(tmp_path: Path, count: int) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts={"demo-aligned": [LONG], "demo-base": [LONG]}))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await ready(pilot, app)
        bench = app.workbench.bench
        if count == 1:
            bench.select(1)
            bench.remove()
        add_columns(app, count)
        await sampled(pilot, app)
        columns = screen.query_one(ColumnsView)
        for width, height in SIZES if count == 8 else SIZES[::2]:
            bench.select(0)
            await pilot.resize_terminal(width, height)
            fit = min(count, side_by_side(width))
            await until(pilot, lambda width=width: sum(view.region.width for view in columns.views) == width)
            await until(pilot, lambda fit=fit: len(heads(app)) == fit and all("/" in head for head in heads(app)))
            assert heads(app)[0].startswith("A")
            assert all(view.samples.size.height >= (8 if height >= 24 else 4) for view in columns.views)
            for head in heads(app):
                at = next(i for i in range(count) if head.startswith((f"{letter(i)} ", f"{letter(i)}* ")))
                column = bench.columns[at]
                assert f" {column.n}/{column.n}" in head
                assert column.name in head, "there is room for the whole name"
            if count > fit > 1:
                await shows(pilot, f"{fit if fit == 2 else f'2-{fit}'} of {count} ")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: len(columns.views) == min(2, count))
        for place in [*range(count), 0] if count < 9 else [0, 1, 2]:
            await until(pilot, lambda place=place: any(h.startswith(letter(place)) for h in heads(app)))
            assert heads(app)[0].startswith("A* "), "the reference stays"
            assert bench.selected == place
            await pilot.press("right")


async def test_right_goes_to_what_stands_on_the_right(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        add_columns(app, 4)
        await pilot.press("right", "right", "asterisk")
        await until(pilot, lambda: [head[:2] for head in heads(app)] == ["C*", "B "])
        for key, shown, selected in (
            ("right", ["C*", "A "], 0),
            ("right", ["C*", "B "], 1),
            ("right", ["C*", "D "], 3),
            ("right", ["C*", "D "], 2),
            ("left", ["C*", "D "], 3),
        ):
            await pilot.press(key)
            await until(pilot, lambda shown=shown: [head[:2] for head in heads(app)] == shown)
            assert app.workbench.bench.selected == selected


async def test_the_terminal_gets_another_size_while_samples_stream(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(delay=0.002))
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await ready(pilot, app)
        add_columns(app, 6)
        await pilot.press("f5")
        for width in (80, 60, 160, 72, 110, 71, 200, 80):
            await pilot.resize_terminal(width, 30)
            await pilot.press("right")
        await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
        await until(pilot, lambda: len(heads(app)) == 2)
        await until(pilot, lambda: all("done" in head for head in heads(app)))


async def test_what_all_samples_share_is_said_once(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts={"demo-aligned": ["long " * 60] * 5, "demo-base": ["a b"] * 5}))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        bench.columns[0] = Column(bench.columns[0].condition, n=3)
        await sampled(pilot, app)
        for sample in bench.cell(bench.columns[0]).samples.values():
            sample.row = type(sample.row)(
                **{**{f: getattr(sample.row, f) for f in sample.row.__slots__}, "finish_reason": "length"}
            )
        app.workbench.changed()
        await until(pilot, lambda: heads(app)[0].endswith("3/3 cut"))
        assert screen_text(app).count("cut") == 1


@pytest.mark.parametrize("text", ["one two three", "日本語のテキスト", "a👩‍👩‍👧 b", "word"])
def test_the_end_of_a_line_fits_any_room(text: str) -> None:
    """Also none at all, and less than that: a status may be wider than a column that is about to get its size."""
    for room in range(-4, 20):
        kept = sample_list._end(text, room)
        assert text.endswith(kept)
        assert cells(kept) <= max(0, room)
