"""A survey question that comes after other messages is asked after them."""

from __future__ import annotations

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.prompt_parts import Turn
from alignbench.spec import Prompt
from alignbench.surveys.asking import asked


def test_messages_before_a_question_stay_before_it() -> None:
    earlier = (Turn("system", "Answer as a farmer would."),)
    question = Prompt("q", "Rain?", "s", AnswerOptions((AnswerOption("Yes"), AnswerOption("No"))), earlier)
    assert asked(question, (0, 1)).earlier == earlier
