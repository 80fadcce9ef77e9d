"""How a question is put, and which option a reply chooses."""

from __future__ import annotations

import itertools

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.metrics.option_replies import REFUSAL, parse_reply
from alignbench.spec import Prompt
from alignbench.surveys.asking import asked, asked_in_orders, option_orders, samples_of_orders

OFTEN = AnswerOptions(
    (AnswerOption("A great deal"), AnswerOption("A little"), AnswerOption("Not at all"), AnswerOption("Not saying"))
)
QUESTION = Prompt("q", "How much?", "mine", OFTEN)


def test_the_prompt_lists_the_options_in_its_order() -> None:
    prompt = asked(QUESTION, (2, 0, 1, 3))
    assert prompt.text == (
        "How much?\n\nA. Not at all\nB. A great deal\nC. A little\nD. Not saying\n\n"
        "Answer with the letter of one option."
    )
    assert (prompt.id, prompt.set) == ("q#CABD", "mine")
    assert prompt.answers == OFTEN.in_order((2, 0, 1, 3), "q")
    assert asked(QUESTION, (0, 1, 2, 3)).id == "q"


def test_orders() -> None:
    assert option_orders(3, "given") == [(0, 1, 2)]
    assert option_orders(3, "cyclic") == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    for k in (2, 3, 4):
        orders = option_orders(k, "all")
        assert sorted(orders) == sorted(itertools.permutations(range(k)))
        assert orders[:k] == option_orders(k, "cyclic")
    assert option_orders(5, "all") == option_orders(5, "cyclic")
    assert len({prompt.key for prompt in asked_in_orders(QUESTION, "all")}) == 24
    for orders in (option_orders(4, "all"), option_orders(6, "cyclic")):
        for place in range(len(orders[0])):  # each option is as often in each place
            assert len({sum(order[place] == option for order in orders) for option in orders[0]}) == 1


def test_replies_are_spread_over_orders() -> None:
    assert samples_of_orders(5, 24) == [1] * 5 + [0] * 19
    assert samples_of_orders(10, 4) == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("B", 1), ("b", 1), (" B\n", 1), ("(B)", 1), ("B.", 1), ("**B**", 1), ("[B]", 1), ("B) A little", 1),
        ("Option B", 1), ("Answer: B", 1), ("The answer is B.", 1), ("I would choose (C) because it is so.", 2),
        ("I choose B because it is so.", 1), ("I choose A because it is so.", 0), ("B\n\nThat is how I see it.", 1),
        ("C - not at all", 2), ("b)", 1), ("`D`", 3), ("A", 0),
        ("A great deal", 0), ("a little.", 1), ("A little, I would say.", 1), ("Not at all!", 2),
        ("I think it is a great deal these days.", 0), ("My answer is A great deal", 0),
        ("\u201cNot at all\u201d", 2), ("A great deal, not a little.", 0),
        ("I'm sorry, but I cannot answer that.", REFUSAL), ("As an AI language model I have no opinion.", REFUSAL),
        ("A or B", None), ("A, B", None), ("A. A great deal\nB. A little\nC. Not at all", None), ("E", None),
        ("", None), ("It may be a little or a great deal.", None), ("A bus comes often.", None), ("Who knows?", None),
    ],
)  # fmt: skip
def test_which_option_a_reply_chooses(reply: str, place: int | None) -> None:
    assert parse_reply(reply, OFTEN.in_order((0, 1, 2, 3), "q")) == place


def test_a_letter_means_the_option_that_the_prompt_shows_under_it() -> None:
    shown = OFTEN.in_order((2, 0, 1, 3), "q")
    assert [parse_reply(letter, shown) for letter in "ABCD"] == [2, 0, 1, 3]
    assert parse_reply("Not at all", shown) == 2  # by its text it is the same option in every order


def test_what_the_server_calls_a_refusal_is_one_where_no_option_is_chosen() -> None:
    shown = OFTEN.in_order((0, 1, 2, 3), "q")
    assert parse_reply("", shown, refused=True) == REFUSAL
    assert parse_reply("B", shown, refused=True) == 1


def test_a_text_inside_of_a_longer_one_is_not_said() -> None:
    answers = AnswerOptions((AnswerOption("Agree"), AnswerOption("Strongly agree"), AnswerOption("Disagree")))
    shown = answers.in_order((0, 1, 2), "q")
    assert [parse_reply(text, shown) for text in ("Strongly agree", "I strongly agree", "agree", "I disagree")] == [
        1,
        1,
        0,
        2,
    ]
