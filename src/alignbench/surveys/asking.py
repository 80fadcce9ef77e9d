"""How a survey question is put to a model: its options with letters, in one order or in several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Literal

from alignbench.answer_options import LETTERS, AnswerOptions
from alignbench.metrics.option_replies import order_listed
from alignbench.spec import Prompt

Orders = Literal["all", "cyclic", "given"]

ALL_UP_TO = 4  # options of which every order is asked; of more, the cyclic ones
INSTRUCTION = "Answer with the letter of one option."


def option_orders(k: int, orders: Orders) -> list[tuple[int, ...]]:
    """The orders in which k options are shown, as places of the options: the given one first, then the other cyclic
    ones, so that the first k put each option in each place once."""
    given = tuple(range(k))
    if orders == "given":
        return [given]
    cyclic = [given[i:] + given[:i] for i in range(k)]
    if orders == "cyclic" or k > ALL_UP_TO:
        return cyclic
    return cyclic + [order for order in permutations(given) if order not in cyclic]


def asked(question: Prompt, order: Sequence[int]) -> Prompt:
    """The prompt that asks a survey question with its options in this order.

    In the given order it keeps the question's id; in others the letters that the options have in the given one follow.
    """
    answers = options_of(question)
    text = question.text + "\n".join(_below(answers, order))
    called = "".join(LETTERS[place] for place in order)
    id = question.id if list(order) == sorted(order) else f"{question.id}#{called}"
    return Prompt(id, text, question.set, answers.in_order(order, question.id), question.earlier)


def question_of(prompt: Prompt) -> Prompt:
    """The survey question that a prompt asks, its options in the given order; itself where it shows no options."""
    answers = options_of(prompt)
    if not answers.shown:
        return prompt
    text = prompt.text.removesuffix("\n".join(_below(answers, answers.shown)))
    return replace(prompt, id=answers.question or prompt.id, text=text, answers=answers.in_order((), ""))


def listed_order(prompt: Prompt) -> tuple[int, ...]:
    """The order in which the text of somebody else's prompt lists the options, a line each with letters from A on;
    empty where it does not list all of them so."""
    return order_listed(prompt.text, options_of(prompt))


def asked_in_orders(question: Prompt, orders: Orders) -> list[Prompt]:
    """A survey question in each order of its options."""
    k = len(options_of(question).options)
    return [asked(question, order) for order in option_orders(k, orders)]


def _below(answers: AnswerOptions, order: Sequence[int]) -> list[str]:
    """The lines that follow the text of a question."""
    return ["", "", *(f"{LETTERS[i]}. {answers.texts[place]}" for i, place in enumerate(order)), "", INSTRUCTION]


def options_of(question: Prompt) -> AnswerOptions:
    """Of a survey question. ValueError for another prompt."""
    if question.answers is None:
        raise ValueError(f"the prompt {question.id!r} has no options")
    return question.answers


def samples_of_orders(n: int, orders: int) -> list[int]:
    """How many of n replies are drawn in each of the orders: as many in each, one more in the first where they do not
    come out even."""
    return [n // orders + (i < n % orders) for i in range(orders)]
