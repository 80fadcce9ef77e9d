"""Investigation 1 in the app: what moved, judged and covered, and the frontier over temperatures."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from alignbench.store import Store
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.scores.screen import ScoresScreen
from alignbench.tui.widgets.bars import Scale
from alignbench.tui.widgets.plot import Axis, Point, interval_bar, plot
from tests.support.app import SMALL, TEXTS, WIDE, line_with, make_app, ready, rows, sampled, screen_text, shows, until
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.judged import judgment


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_what_moved(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("I")
        await until(pilot, lambda: "No finished sample yet" in screen_text(app))
        await pilot.press("escape")
        await sampled(pilot, app)
        await pilot.press("f7", "I")
        await until(pilot, lambda: "What moved" in screen_text(app) and "lexical similarity" in screen_text(app))
        await shows(pilot, "A* demo-aligned")
        await pilot.press("2")
        await until(pilot, lambda: "lexical diversity ↑" in screen_text(app))
        assert line_with(app, "A* aligned").startswith("A* aligned 4.6 [")
        assert "against A*" in line_with(app, "words")
        await shows(pilot, "lexical diversity, matched length ↑")
        await pilot.press("3")
        await until(pilot, lambda: "Nobody has judged these responses: J has" in screen_text(app))
        await pilot.press("4")
        await until(pilot, lambda: "share of a response of A* that k responses say together" in screen_text(app))
        await shows(pilot, "k = 1: ")
        await pilot.press("5")
        await until(pilot, lambda: "No two conditions differ in their temperature alone" in screen_text(app))
        await pilot.press("6")
        await shows(pilot, "Nobody has judged which side responses take: J has a model do it")
        await shows(pilot, "Lexical similarity of demo-aligned and demo-base")
        await pilot.press("escape")
        assert isinstance(app.screen, ScoresScreen)


async def test_responses_that_were_cut_are_named(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 200), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        with sqlite3.connect(db) as connection:
            connection.execute("UPDATE samples SET finish_reason = 'length'")
        await pilot.press("I")
        await until(pilot, lambda: "responses cut by length, over 10%" in screen_text(app))
        await pilot.press("2")
        await shows(pilot, "5 of 5 responses of demo-aligned (100%)")


async def test_a_ladder_of_temperatures_becomes_a_frontier(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        await pilot.press("I", "t")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press(*["backspace"] * 20, *"hot", "enter")
        await until(pilot, lambda: "expected two numbers or more" in screen_text(app))
        await pilot.press(*["backspace"] * 3, *"0.3,1", "enter")
        await until(pilot, lambda: "A1 " in screen_text(app) and "B2 " in screen_text(app))
        assert "1 T 0.3 2 T 1" in line_with(app, "T 0.3")
        await shows(pilot, "embedding diversity →")
    drawn = {(row.condition, row.prompt_id) for row in rows(db)}
    ladder = {"demo-aligned", "demo-base", "demo-aligned@temp0.3", "demo-base@temp0.3"}
    assert {name for name, _ in drawn} == ladder
    assert len(drawn) == 2 * len(ladder), "both prompts"
    with Store.open(db) as store:
        (session,) = store.sessions()
        temperatures = {c.name: c.sampling.temperature for c in store.conditions(session.id)}
    assert temperatures["demo-base@temp0.3"] == 0.3
    assert [column.name for column in app.workbench.bench.columns] == ["demo-aligned", "demo-base"]


async def test_judgments_that_are_there_are_shown(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        with Store.open(db) as store:
            aspects = ("helpfulness", "clarity", "factuality", "depth", "engagement")
            judged = [
                one
                for row in store.samples(1)
                for one in (
                    judgment("quality", row.id, **dict.fromkeys(aspects, 2 + 2 * (row.sample % 2))),
                    judgment("stance", row.id, stance="no" if row.sample else "yes"),
                )
            ]
            store.add_judgments(1, judged)
        await pilot.press("I", "3")
        await until(pilot, lambda: "2 of 5 pass (.400)" in line_with(app, "A* aligned"))
        await shows(pilot, "2.000 different ones a prompt")
        await pilot.press("6")
        await until(pilot, lambda: "k = 1" in line_with(app, "k = 1"))
        await shows(pilot, "Where demo-base splits", "stance entropy .722 bits", "0% name both")
        await pilot.press("3")
        await until(pilot, lambda: "2 of 5 pass" in line_with(app, "A* aligned"))
        assert line_with(app, "  yes  ").startswith("yes ██ .200")
        await shows(pilot, "before → after the gate")


async def test_a_model_judges_all_responses(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    grades = dict.fromkeys(("helpfulness", "clarity", "factuality", "depth", "engagement"), 4)
    pool = FakePool(texts={**TEXTS, "demo-aligned": [json.dumps({"rationale": "Plain.", **grades})]})
    app = make_app(db, pool, LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("I", "J")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "5 of 5 pass (1.000)" in line_with(app, "B  base"))
        assert "judged by demo-base+demo-sft" in screen_text(app)
    with Store.open(db) as store:
        assert len([*store.judgments(1, kind="quality")]) == 10


def test_marks_stand_side_by_side_where_they_fall_together() -> None:
    points = [Point(0.0, 0.0, "A1"), Point(0.0, 0.0, "B1"), Point(1.0, 1.0, "A2"), Point(0.0, 0.0, "·", faint=True)]
    drawn = [line.plain for line in plot(points, Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0), 30, 3)]
    assert drawn[0] == " y"
    assert "A1B1" in drawn[3]
    assert drawn[1].rstrip().endswith("A2")
    assert "·" not in "".join(drawn)
    assert all(len(line) <= 30 for line in drawn)


def test_a_value_and_its_interval_on_a_line() -> None:
    assert interval_bar(0.5, (0.0, 1.0), Scale(0.0, 1.0, 5)).plain == "├─●─┤"
    assert interval_bar(0.5, None, Scale(0.0, 1.0, 5)).plain == "  ●  "
    assert interval_bar(0.5, (0.5, 0.5), Scale(0.5, 0.5, 5)).plain == "  ●  "
