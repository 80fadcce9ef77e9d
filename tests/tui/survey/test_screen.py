"""The survey screen: bars by option, distances, orders, personas, replies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.engines.protocol import LikelihoodRequest, Scored
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Judgment, OptionMasses, Store
from alignbench.surveys.asking import asked_in_orders, options_of, question_of
from alignbench.surveys.survey import Survey, survey_session
from alignbench.tui.app import BenchApp
from alignbench.tui.survey.screen import SurveyScreen
from tests.support.app import SMALL, WIDE, bench_of, make_app, ready, rows, screen_text, shows, until
from tests.support.fakes import FakePool
from tests.support.samples import result

QUESTION = Prompt(
    "parks",
    "Should parks close at night?",
    "mine",
    AnswerOptions(
        (AnswerOption("Yes, all of them", 2), AnswerOption("Some of them", 1), AnswerOption("No", 0)),
        (HumanGroup("Rural voters", (0.2, 0.3, 0.5)), HumanGroup("Night workers", (0.0, 0.25, 0.75), 40)),
    ),
)


class Voter(FakePool):
    """Says option A, whatever stands there, with .7, B with .2 and C with .1; hardly ever anything else."""

    def score(self, model: Model, request: LikelihoodRequest, sink: Any) -> None:  # noqa: ARG002
        said = request.continuation.strip()
        p = {"A": 0.7, "B": 0.2, "C": 0.1}.get(said, 1e-9) if not request.continuation.startswith(" ") else 1e-9
        one = np.ones(1, np.float32)
        ids, top = np.array([ord(said[0])], np.int32), np.empty((1, 0), np.float32)
        logprob = (np.log(p) * one).astype(np.float32)
        sink(Scored(request.key, ids, (request.continuation,), logprob, one.astype(np.int32), top.astype(np.int32), top,
                    ((),), 3))  # fmt: skip


async def opened(pilot: Any, app: BenchApp, question: Prompt = QUESTION) -> SurveyScreen:
    await ready(pilot, app)
    app.workbench.bench.ask(question)
    app.workbench.changed()
    await pilot.press("o")
    await until(pilot, lambda: isinstance(app.screen, SurveyScreen))
    screen = app.screen
    assert isinstance(screen, SurveyScreen)
    return screen


def line_of(app: BenchApp, *words: str) -> str:
    return next((line for line in screen_text(app).splitlines() if all(word in line for word in words)), "")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_bars_a_row_a_column_and_a_group(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(pilot, app)
        await shows(pilot, QUESTION.text, "A Yes, all", "Rural voters", "Night workers", "total variation")
        # Whatever the order, the first place has .7: over all orders the options have equal shares.
        await until(pilot, lambda: line_of(app, "A* demo-aligned", "█").count(".33") == 3)
        assert line_of(app, "Rural voters", "█").count(".") == 3
        await pilot.press("t", "t")
        await until(pilot, lambda: ".70" in line_of(app, "A* demo-aligned", "█"))
        await until(pilot, lambda: ".20" in line_of(app, "B demo-base", "█"))
        assert app.workbench.bench.session is None, "nothing was drawn"


async def test_it_is_moved_in_where_not_all_fits(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=(80, 12)) as pilot:
        await opened(pilot, app)
        bars = ("A* demo-aligned", "B demo-base")  # until both are read, lines come and go
        await until(pilot, lambda: all("█" in line_of(app, name) for name in bars))
        first = screen_text(app)
        await pilot.press("end")
        await shows(pilot, "alignbench survey")
        await pilot.press("home")
        await until(pilot, lambda: screen_text(app) == first)
        await pilot.press("j")
        await until(pilot, lambda: screen_text(app) != first)
        await pilot.press("k")
        await until(pilot, lambda: screen_text(app) == first)


async def test_other_distances(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot, app)
        await pilot.press("t", "t")
        # (.7, .2, .1) and (.2, .3, .5) on 2, 1, 0: TV .5, W1 |.5| + |.4| = .9, representativeness 1 - .9 / 2.
        await until(pilot, lambda: ".50" in line_of(app, "B demo-base", "1.16"))
        await pilot.press("d", "d")
        await shows(pilot, "1-Wasserstein")
        assert ".90" in line_of(app, "B demo-base", "1.16")
        await pilot.press("d")
        await shows(pilot, "representativeness", ".55")


async def test_options_that_are_cut_stand_below_in_full(tmp_path: Path) -> None:
    options = AnswerOptions((AnswerOption("Yes, and every one of them"), AnswerOption("No"), AnswerOption("Some")))
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, app, replace(QUESTION, answers=options))
        await shows(pilot, "A Yes, and every…", "A Yes, and every one of them · B No · C Some")


async def test_what_chance_gives_is_said_of_total_variation_alone(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot, app)
        await shows(pilot, "total variation", "In brackets")
        await pilot.press("d")
        await shows(pilot, "Jensen-Shannon")
        assert "In brackets" not in screen_text(app)


async def test_wordings_stand_beside_orders_where_the_set_has_paraphrases(tmp_path: Path) -> None:
    class Suggestible(Voter):
        """Says B with .7 where it is asked about gates."""

        def score(self, model: Model, request: LikelihoodRequest, sink: Any) -> None:
            if "gates" in request.context + request.query:
                swapped = request.continuation.translate(str.maketrans("AB", "BA"))
                request = replace(request, continuation=swapped)
            super().score(model, request, sink)

    options = replace(options_of(QUESTION), paraphrase_of="parks")
    gates = Prompt("gates", "Should gates of parks be locked at night?", "mine", options)
    app = make_app(tmp_path / "x.db", Suggestible())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.prompts = [QUESTION, gates]
        await opened(pilot, app)
        await pilot.press("t", "t")
        # Of the given order (.7, .2, .1) and (.2, .7, .1), whose total variation is .5.
        await until(pilot, lambda: line_of(app, "A* demo-aligned", "1.16", "–       .50") != "")
        await shows(pilot, "wordings", "1 where asking in other words changes nothing")


async def test_a_key_goes_to_the_next_question_past_the_orders_of_this_one(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    other = Prompt("gates", "Should gates be locked?", "mine", QUESTION.answers)
    prompts = [*asked_in_orders(QUESTION, "all"), *asked_in_orders(other, "all")]
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.prompts = prompts
        await opened(pilot, app, prompts[2])
        for key, at in (("]", 6), ("]", 0), ("[", 6)):
            await pilot.press(key)
            await until(pilot, lambda at=at: app.workbench.bench.prompt == prompts[at])
        await shows(pilot, "Should gates be locked?")


async def test_a_persona_is_asked_beside(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot, app)
        await pilot.press("p")
        await until(pilot, lambda: not isinstance(app.screen, SurveyScreen))
        await pilot.press("enter")
        await shows(pilot, "as a persona")
        await until(pilot, lambda: "█" in line_of(app, "B as a persona"))
        await pilot.press("p")
        await until(pilot, lambda: not isinstance(app.screen, SurveyScreen))
        await pilot.press(*["backspace"] * 40, "enter")
        await until(pilot, lambda: isinstance(app.screen, SurveyScreen) and "persona" not in line_of(app, "demo-base"))
        await until(pilot, lambda: "as a persona" not in screen_text(app))


async def test_replies_are_drawn_in_every_order(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, Voter(texts={"demo-aligned": ["A."], "demo-base": ["Some of them, I think.", "Who knows"]}))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot, app)
        await pilot.press("s")
        await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
        await shows(pilot, "A* replies", "chance alone")
        assert len({row.prompt_id for row in rows(db)}) == 6
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))


async def test_a_survey_of_the_command_line_is_shown_as_it_was_read_and_judged(tmp_path: Path) -> None:
    class Silent(FakePool):
        def score(self, model: Model, request: LikelihoodRequest, sink: Any) -> None:  # noqa: ARG002
            raise AssertionError("what is kept is not read again")

    db = tmp_path / "x.db"
    condition = Condition.zero_shot(Model("voter", "openai:http://127.0.0.1:9/v1#m", "base"))
    question = Survey("mine.jsonl", (QUESTION,), (condition,), "all", 1)
    with Store.open(db) as store:
        session = survey_session(store, question)
        prompts = asked_in_orders(QUESTION, "all")
        cells = store.add_cells(session, prompts, condition, 0)
        masses = [OptionMasses(each.id, "voter", "first_token", condition.model.reference, (0.4, 0.3, 0.1), 0.2)
                  for each in prompts]  # fmt: skip
        store.add_option_masses(session, zip(cells, masses, strict=True))
        row = store.add_sample(store.add_cell(session, prompts[0], condition, 1), result(0, "Ungern."))
        fields = {"option": "Some of them", "refusal": False}
        store.add_judgments(session, [Judgment("option", "judge", "t", row.id, None, "valid", fields)])
    app = make_app(db, Silent(), session=session)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("o")
        await until(pilot, lambda: ".50" in line_of(app, "A* voter", "█"))
        assert "A* voter: of the letter as first token alone" in screen_text(app)
        assert line_of(app, "replies", "█").count("1.0") == 1


async def test_a_prompt_without_options_says_where_there_are_some(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", Voter())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, app, Prompt.typed("Why?"))
        await shows(pilot, "This prompt has no options", "F2")
        await pilot.press("s")
        assert app.workbench.bench.session is None


def test_the_question_of_a_prompt_that_shows_options() -> None:
    for prompt in asked_in_orders(QUESTION, "all"):
        assert question_of(prompt) == QUESTION
    assert question_of(QUESTION) == QUESTION
