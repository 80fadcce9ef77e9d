"""A survey question: how each column distributes its answers over the options, beside groups of people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from alignbench.errors import AlignbenchError, InputError
from alignbench.spec import Prompt
from alignbench.surveys.asking import Orders, options_of
from alignbench.surveys.distribution import AnswerDistribution, with_paraphrases
from alignbench.surveys.survey import PERSONA_TEXTS, persona_text
from alignbench.textfiles import home_expanded
from alignbench.tui.action import bindings
from alignbench.tui.reading_screen import ReadingScreen
from alignbench.tui.styled import plain
from alignbench.tui.survey.actions import SURVEY
from alignbench.tui.survey.columns import (
    Persona,
    Respondent,
    counted_replies,
    draw_replies,
    judged_replies,
    other_wordings,
    prompts_in_orders,
    read_options,
    respondents,
    step_question,
    survey_question,
)
from alignbench.tui.survey.imported import imported_prompts
from alignbench.tui.survey.view import DISTANCES, AnswerRow, answer_lines
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.background_job import waiting
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.controller import Workbench

ORDERS: dict[Orders, str] = {
    "all": "all orders, of over 4 options the cyclic ones",
    "cyclic": "cyclic orders",
    "given": "the given order alone",
}


class SurveyScreen(ReadingScreen):
    """Models read the options here; replies are drawn on a key."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("survey", SURVEY)]
    AUTO_FOCUS = None
    HELP = (
        "Each column reads the question with its options as A, B, ...: the bars are the probabilities of the letters "
        "and texts of options, over the options that are no refusals and averaged over orders. s draws replies too, "
        "which are told by letter, else by text, else by a judge (`alignbench judge --kind option`). Log-probs say how "
        "a response begins, replies what it says: the two may differ, and both are shown. Over many questions, with "
        "intervals: `alignbench survey`."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._orders: Orders = "all"
        self._distance = "tv"
        self._persona: Persona | None = None
        self._judged = judged_replies(workbench)

    def compose(self) -> ComposeResult:
        yield ScreenTitle()
        yield SteadyText("", id="question", markup=False)
        yield LineList(id="answers", classes="section")
        yield Keys()

    def follow(self) -> None:
        self._jobs = []
        question, answers = self.query_one("#question", SteadyText), self.query_one("#answers", LineList)
        state = ORDERS[self._orders] + (f", as {self._persona.name}" if self._persona else "")
        try:
            asked = survey_question(self.workbench.bench)
        except InputError as error:
            self.query_one(ScreenTitle).show("Survey")
            question.update(plain(str(error)))
            answers.show([])
            return
        self.query_one(ScreenTitle).show("Survey", asked.id, state)
        question.update(plain(asked.text))
        rows = [*self._columns(asked), *self._people(asked)]
        bench = self.workbench.bench
        others = [row for row in rows if row.at is None]
        reference = next((at for at, column in enumerate(bench.columns) if column.name == bench.reference), None)
        others += [row for row in rows if row.at is not None and row.at == reference][:1]
        answers.show(answer_lines(options_of(asked), rows, others, self._distance, self.size.width))
        self.refresh_bindings()

    def _columns(self, asked: Prompt) -> Iterator[AnswerRow]:
        bench = self.workbench.bench
        wordings = other_wordings(bench, asked)
        for who in respondents(bench, self._persona):
            sign = letter(who.at) + ("*" if bench.columns[who.at].name == bench.reference else "")
            name = f"as {who.persona}" if who.persona is not None else who.condition.name
            if not who.condition.model.is_imported:
                yield self._read(sign, name, who, asked, wordings)
            replies = self._counted(who, asked)
            if replies is not None:
                reworded = (self._counted(who, wording) for wording in wordings)
                replies, *_ = with_paraphrases([replies, *(each for each in reworded if each is not None)])
                said = "" if replies.p is not None else f"none of {replies.n} replies chooses an option"
                called = "replies" if who.persona is None else f"{name}, replies"
                yield AnswerRow(sign, called, who.at, replies.p, replies, said)

    def _counted(self, who: Respondent, asked: Prompt) -> AnswerDistribution | None:
        bench = self.workbench.bench
        prompts = [*prompts_in_orders(bench, asked, self._orders), *imported_prompts(bench)]
        return counted_replies(bench, who, asked, prompts, self._judged)

    def _read(self, sign: str, name: str, who: Respondent, asked: Prompt, wordings: Sequence[Prompt]) -> AnswerRow:
        job = read_options(self.workbench, who, asked, self._orders)
        self._jobs.append(job)
        if (read := job.result) is None:
            return AnswerRow(sign, name, who.at, None, said=waiting(job, "Esc"))
        reworded = [read_options(self.workbench, who, wording, self._orders) for wording in wordings]
        self._jobs += reworded
        read, *_ = with_paraphrases([read, *(each.result for each in reworded if each.result is not None)])
        said = "" if read.p is not None else "no option has any probability"
        return AnswerRow(sign, name, who.at, read.p, read, said)

    def _people(self, asked: Prompt) -> Iterator[AnswerRow]:
        options = options_of(asked)
        for group in options.groups:
            yield AnswerRow("", group.name, None, options.among_answers(group.shares))

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "again":
            return self.can_read_again
        return True

    # keys

    def action_orders(self) -> None:
        ways = [*ORDERS]
        self._orders = ways[(ways.index(self._orders) + 1) % len(ways)]
        self.follow()

    def action_distance(self) -> None:
        names = [*DISTANCES]
        self._distance = names[(names.index(self._distance) + 1) % len(names)]
        self.follow()

    @work
    async def action_persona(self) -> None:
        from alignbench.tui.dialogs.base import LineScreen

        written = await self.app.push_screen_wait(
            LineScreen(
                "Who answers: a sentence, or a text file that says so; empty for nobody",
                self._persona.text if self._persona else "You live in a small town.",
                empty="",
                check=_persona,
            )
        )
        if written is not None:
            self._persona = _persona(written)
            self.follow()

    def action_replies(self) -> None:
        try:
            asked = survey_question(self.workbench.bench)
        except AlignbenchError as error:
            self.tell(str(error), "warning")
            return
        self.do(draw_replies(self.workbench, self._persona, asked, self._orders))

    def action_next_prompt(self) -> None:
        self._step(1)

    def action_previous_prompt(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        step_question(self.workbench.bench, by)
        self.workbench.changed()

    def panes(self) -> Iterable[Pane]:
        return self.query(LineList)


def _persona(written: str) -> Persona | None:
    """Of what was typed: a sentence, or the path of a text file; None where nothing was. Raises InputError."""
    if not written.strip():
        return None
    path = home_expanded(written)
    if path.suffix.lower() in PERSONA_TEXTS:
        return Persona(path.stem, persona_text(path))
    return Persona("a persona", written.strip())
