"""A survey question on the Bench: its options, and which key asks with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.spec import Prompt
from tests.support.app import SMALL, WIDE, line_with, make_app, ready, screen_text, until
from tests.support.fakes import FakePool

OPTIONS = AnswerOptions((AnswerOption("Yes, all of them"), AnswerOption("No"), AnswerOption("I would rather not say")))
QUESTION = Prompt("parks", "Should parks close at night? " + "Please think of all who pass them. " * 9, "mine", OPTIONS)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_options_stand_below_the_question(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.ask(QUESTION)
        app.workbench.changed()
        await until(pilot, lambda: "Yes, all of them · No" in line_with(app, "Options"))
        assert "o with" in line_with(app, "Options"), "however long the options are"
        assert "(e: all of it)" in screen_text(app), "no line of the question is lost without a word"
        app.workbench.bench.ask(replace(QUESTION, id="asked", answers=OPTIONS.in_order((0, 1, 2), "parks")))
        app.workbench.changed()
        await until(pilot, lambda: not line_with(app, "Options"))
        app.workbench.bench.ask(QUESTION)
        app.workbench.changed()
        await until(pilot, lambda: bool(line_with(app, "Options")))
        listed = "\n".join(f"{letter}. {text}" for letter, text in zip("ABC", OPTIONS.texts, strict=True))
        app.workbench.bench.ask(replace(QUESTION, id="theirs", text=f"Close parks?\n{listed}"))
        app.workbench.changed()
        await until(pilot, lambda: not line_with(app, "Options"))
