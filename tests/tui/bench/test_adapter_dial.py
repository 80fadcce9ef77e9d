"""The keys that turn the scale of a column's adapter."""

from __future__ import annotations

from pathlib import Path

from alignbench.models.catalog import resolve
from alignbench.store import Store
from tests.support.app import SMALL, WIDE, burst, heads, make_app, ready, rows, sampled, shows, until
from tests.support.fakes import FakePool

DOWN, UP = "left_parenthesis", "right_parenthesis"


async def test_a_column_is_turned_and_its_title_says_so(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await burst(pilot, app, DOWN, DOWN)
        await until(pilot, lambda: heads(app)[0].startswith("A* demo-aligned*0.5 "))
        await shows(pilot, "A: adapter scale 0.75 → 0.5, called demo-aligned*0.5. u brings it back.", "demo-sft*0.5")
        await burst(pilot, app, *[UP] * 4)
        await shows(pilot, "The scale is 1.25; this key turns it up to 1.25.")
        assert app.workbench.bench.columns[0].condition.model.reference == "demo-base+demo-sft*1.25"
        await burst(pilot, app, *"uuuuu")
        await until(pilot, lambda: heads(app)[0].startswith("A* demo-aligned "))
        assert app.workbench.bench.columns[0].condition.model.reference == "demo-base+demo-sft"


async def test_a_sampled_column_keeps_what_it_was(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        drawn = rows(db)
        await burst(pilot, app, DOWN)
        await shows(pilot, "A is now v2; v1 is kept, <: adapter scale 1 → 0.75", "demo-aligned*0.75 v2/2", "0/5")
        await burst(pilot, app, "u")
        await until(pilot, lambda: not app.workbench.bench.columns[0].versions)
        assert app.workbench.bench.columns[0].name == "demo-aligned"
        await burst(pilot, app, DOWN)
        await sampled(pilot, app)
        assert {row.condition for row in rows(db)} == {"demo-aligned", "demo-base", "demo-aligned*0.75"}
        assert [row for row in rows(db) if row.condition != "demo-aligned*0.75"] == drawn
        await burst(pilot, app, UP)
        await until(pilot, lambda: "v1/2" in heads(app)[0] and "5/5" in heads(app)[0])
        with Store.open(db) as store:
            models = {each.name: each.model.reference for each in store.conditions(1)}
        assert models["demo-aligned*0.75"] == "demo-base+demo-sft*0.75"


async def test_where_there_is_nothing_to_turn(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(delay=0.05))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        before = list(app.workbench.bench.columns)
        await burst(pilot, app, "right", UP)
        await shows(pilot, "demo-base has no adapter, so there is no scale to turn")
        await pilot.press("left", "f5")
        await until(pilot, lambda: app.workbench.busy)
        await pilot.press(DOWN)
        await shows(pilot, "This column is being sampled")
        await pilot.press("escape")
        await until(pilot, lambda: not app.workbench.busy)
        assert app.workbench.bench.columns == before


async def test_two_columns_are_never_the_same(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", models=[resolve("demo-sft*0.75"), resolve("demo-sft")])
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        before = list(app.workbench.bench.columns)
        await burst(pilot, app, "right", DOWN)
        await shows(pilot, "demo-sft*0.75 is on the Bench already, with these very parameters.")
        await burst(pilot, app, "u")
        await shows(pilot, "There is nothing to bring back here.")
        assert app.workbench.bench.columns == before
