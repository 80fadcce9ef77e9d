"""A column is sampled as the reference is, until somebody says otherwise; F3 and the heads show what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench.spec import Sampling
from alignbench.tui.bench.columns import ColumnsView
from alignbench.tui.dialogs.condition import FIELDS, ConditionScreen
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.column_settings import set_in_all
from alignbench.tui.workbench.state import Bench
from tests.support.app import (
    ALIGNED,
    BASE,
    SMALL,
    WIDE,
    bench_of,
    make_app,
    ready,
    sampled,
    shows,
    still,
    until,
    widget_text,
)

REFERENCE = {
    "n": "2", "temperature": "0.8", "top_p": "0.9", "top_k": "40", "min_p": "0.05", "typical_p": "0.95",
    "repetition_penalty": "1.1", "max_tokens": "64", "seed": "7", "stop": '"User:"', "mode": "fast",
}  # fmt: skip


def sample_otherwise(bench: Bench) -> None:
    """The reference with other settings than those a column begins with."""
    sampling = Sampling(0.8, 40, 0.9, 0.05, 0.95, 1.1, 64, ("User:",))
    column = bench.columns[0]
    bench.change(column, Column(replace(column.condition, sampling=sampling, seed=7, mode="fast"), 2))


async def condition_of(pilot: Any, key: str) -> ConditionScreen:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ConditionScreen) and pilot.app.screen._known)
    await pilot.pause()
    return pilot.app.screen


def selected_head(app: Any) -> str:
    """The head of the selected column, as it is drawn."""
    view = bench_of(app).query_one(ColumnsView).selected
    return widget_text(view.query_one(".about")) if view is not None else ""


def fields(screen: ConditionScreen) -> dict[str, str]:
    return {field.key: screen.query_one(f"#{field.key}", PlainInput).value for field in FIELDS}


def hints(screen: ConditionScreen) -> dict[str, str]:
    return {field.key: widget_text(screen.query_one(f"#field-{field.key} .hint")) for field in FIELDS}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_new_column_is_sampled_as_the_reference_is(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        sample_otherwise(bench)
        screen = await condition_of(pilot, "a")
        assert REFERENCE.items() <= fields(screen).items()
        assert not [key for key, hint in hints(screen).items() if "≠" in hint and key != "model"]
        screen.query_one("#model", PlainInput).value = "demo-base"
        await pilot.press("enter")
        await until(pilot, lambda: len(bench.columns) == 3)
        await pilot.press("d")
        await until(pilot, lambda: len(bench.columns) == 4)
        reference, *_, new, copy = bench.columns
        assert (new.n, new.condition.settings) == (reference.n, reference.condition.settings)
        assert copy.condition.settings == {**reference.condition.settings, "seed": 9}
        for key, mark in (("", "≠ seed"), ("right", ""), ("right", "≠ T, top-k, top-p +8"), ("right", "")):
            await pilot.press(*filter(None, [key]))
            await until(pilot, lambda mark=mark: mark in (head := selected_head(app)) and ("≠" in head) == bool(mark))


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_fields_stand_against_the_reference_and_go_back_to_it(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        screen = await condition_of(pilot, "f3")
        assert not [hint for hint in hints(screen).values() if "≠" in hint], "it is the reference itself"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        sample_otherwise(bench)
        await pilot.press("right")
        screen = await condition_of(pilot, "f3")
        for key, value in REFERENCE.items():
            assert f"≠ {value} " in hints(screen)[key], key
        assert "≠" not in hints(screen)["name"]
        temperature = screen.query_one("#temperature", PlainInput)
        temperature.value = "0.80"
        await until(pilot, lambda: "≠" not in hints(screen)["temperature"])
        temperature.value = "warm"
        await until(pilot, lambda: "≠ 0.8 " in hints(screen)["temperature"])
        temperature.focus()
        await pilot.press("f6")
        await until(pilot, lambda: "≠" not in hints(screen)["temperature"])
        assert temperature.value == "0.8"
        assert "≠" in hints(screen)["n"], "one field alone"
        await pilot.press("f7")
        await until(pilot, lambda: not [1 for key, hint in hints(screen).items() if "≠" in hint and key != "model"])
        assert REFERENCE.items() <= fields(screen).items()
        assert fields(screen)["model"] == "demo-base"
        screen.query_one("#model", PlainInput).focus()
        await pilot.press("f6")
        await shows(pilot, "a column's own")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert bench.columns[1].condition.settings == bench.columns[0].condition.settings


async def test_nothing_there_is_said_in_words(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        column = app.workbench.bench.columns[0]
        app.workbench.bench.columns[0] = Column(replace(column.condition, unrecorded=frozenset({"top_k"})), column.n)
        await pilot.press("right")
        screen = await condition_of(pilot, "f3")
        screen.query_one("#stop", PlainInput).value = '"x"'
        await until(pilot, lambda: "≠ none " in hints(screen)["stop"])
        assert "≠ not recorded" in hints(screen)["top_k"]
        await pilot.press("f7")
        await shows(pilot, "Not recorded of the reference: Top-k.")
        assert fields(screen)["top_k"] == "0"


@pytest.mark.usefixtures("toasts_stay")
@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_one_key_sets_a_field_in_all_columns(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await sampled(pilot, app)
        await pilot.press("right")
        screen = await condition_of(pilot, "f3")
        temperature = screen.query_one("#temperature", PlainInput)
        temperature.focus()
        temperature.value = "warm"
        await pilot.press("f8")
        await until(pilot, lambda: screen.query_one("#field-temperature").has_class("-wrong"))
        temperature.value = "0.8"
        await pilot.press("f8")
        await shows(pilot, "T is now 0.8 in 2 columns: A, B. Samples that were there stay")
        assert [c.condition.sampling.temperature for c in bench.columns] == [0.8, 0.8]
        assert [(c.version, len(c.history)) for c in bench.columns] == [(1, 2), (1, 2)]
        assert bench.selected == 1
        assert fields(screen)["name"] == bench.columns[1].name == "demo-base 2"
        await still(pilot, 3)
        assert "≠" not in hints(screen)["temperature"]
        screen.query_one("#n", PlainInput).value = "3"
        screen.query_one("#n", PlainInput).focus()
        await pilot.press("f8", "f8")
        await shows(pilot, "n is now 3 in 2 columns: A, B.", "n is 3 in every column already.")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert [(c.n, c.condition.sampling.temperature) for c in bench.columns] == [(3, 0.8), (3, 0.8)]


def test_columns_that_cannot_be_changed_are_named() -> None:
    from alignbench.spec import Condition, Model

    bench = Bench.ready([ALIGNED, BASE], [], "")
    bench.add(Column(Condition.zero_shot(Model("old", "imported:old", "base"))))
    bench.add(Column(Condition.zero_shot(ALIGNED, name="warm", sampling=Sampling(temperature=1.0))))
    bench.cell(bench.columns[1]).status = "sampling"
    said = set_in_all(bench, "temperature", 1.0, "1")
    assert said == (
        "T is changed in no column. A would be another column again: it stays as it was. "
        "B is being sampled: it stays as it was. C was imported: it stays as it was."
    )
    assert set_in_all(bench, "n", 9, "9") == "n is now 9 in 3 columns: A, B, D. C was imported: it stays as it was."
