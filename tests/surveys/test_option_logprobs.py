"""Masses of options from log-probs of letters and texts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.metrics.likelihood import TokenLogprobs
from alignbench.surveys.option_logprobs import OptionForm, option_forms, option_masses

MUCH = AnswerOptions((AnswerOption("A great deal"), AnswerOption("A little"), AnswerOption("Nothing")))
SHOWN = MUCH.in_order((1, 0, 2), "q")  # A. A little, B. A great deal, C. Nothing


def tokens(*steps: tuple[int, float]) -> TokenLogprobs:
    """Token ids and probabilities of one form."""
    ids, chances = zip(*steps, strict=True)
    return TokenLogprobs(
        np.array(ids, np.int32), np.log(np.array(chances)).astype(np.float32), np.ones(len(ids), np.int32)
    )


def test_letters_and_texts_stand_for_options() -> None:
    assert option_forms(SHOWN, "# Answer:\n") == [
        OptionForm(1, "A"), OptionForm(1, "A little"), OptionForm(0, "B"), OptionForm(0, "A great deal"),
        OptionForm(2, "C"), OptionForm(2, "Nothing"),
    ]  # fmt: skip
    with_space = option_forms(SHOWN, "Answer:")
    assert len(with_space) == 12
    assert OptionForm(0, " A great deal") in with_space


def test_a_text_that_is_another_options_letter_is_left_out() -> None:
    grades = AnswerOptions((AnswerOption("B"), AnswerOption("A"))).in_order((0, 1), "q")
    assert option_forms(grades, "\n") == [OptionForm(0, "A"), OptionForm(1, "B")]


@pytest.mark.parametrize("known", [True, False])
def test_what_begins_with_a_letter_and_goes_on_to_a_text_is_counted_once(known: bool) -> None:
    a, little, great, deal = 1, 2, 3, 4
    said = {
        "A": tokens((a, 0.5)),
        "A little": tokens((a, 0.5), (little, 0.2)),
        "B": tokens((5, 0.2)),
        "A great deal": tokens((a, 0.5), (great, 0.4), (deal, 0.5)),
        "C": tokens((6, 0.1)),
        "Nothing": tokens((7, 0.1), (8, 0.5)),
    }
    forms = option_forms(SHOWN, "\n")
    if not known:  # a server that keeps its ids
        said = {
            text: TokenLogprobs(np.full(len(each.ids), -1, np.int32), each.logprob, each.rank)
            for text, each in said.items()
        }
    masses, outside = option_masses(MUCH, forms, [said[form.text] for form in forms])
    assert masses == pytest.approx([0.2 + 0.1, 0.5 - 0.1, 0.1 + 0.05])  # A: .5, of which .1 goes on to "great deal"
    assert outside == pytest.approx(1 - 0.3 - 0.4 - 0.15)


def test_texts_in_each_other_are_counted_once() -> None:
    agree = AnswerOptions((AnswerOption("Yes"), AnswerOption("Yes, strictly"), AnswerOption("No")))
    shown = agree.in_order((0, 1, 2), "q")
    chances = {"A": 0.1, "Yes": 0.4, "B": 0.1, "Yes, strictly": 0.15, "C": 0.1, "No": 0.1}
    ids = {"A": [1], "Yes": [2], "B": [3], "Yes, strictly": [2, 9], "C": [4], "No": [5]}
    forms = option_forms(shown, "\n")
    said = [
        tokens(*((id, chances[form.text] if i == 0 else 1.0) for i, id in enumerate(ids[form.text]))) for form in forms
    ]
    masses, outside = option_masses(agree, forms, said)
    assert masses == pytest.approx([0.1 + 0.25, 0.1 + 0.15, 0.2])
    assert outside == pytest.approx(0.2)


def test_a_model_that_says_nothing_of_the_options_leaves_all_outside() -> None:
    forms = option_forms(SHOWN, "\n")
    masses, outside = option_masses(MUCH, forms, [tokens((i, 1e-30)) for i, _ in enumerate(forms)])
    assert outside == pytest.approx(1.0)
    assert math.fsum(masses) == pytest.approx(0.0)
