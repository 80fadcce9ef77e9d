"""The probability that a model answers a question with each of its options, from log-probs.

An option is counted where the response begins with its letter or with its text, each as it stands in the prompt; where
the text before does not end in white space, also with a space before it. The probability of beginning with a text is
that of its tokens, raw and at temperature 1. What begins with a letter and goes on to the text of an option ("A great
deal") is counted as that option, once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.answer_options import LETTERS, AnswerOptions
from alignbench.metrics.likelihood import TokenLogprobs


@dataclass(frozen=True, slots=True)
class OptionForm:
    """A beginning of a response that stands for an option. option: its place in the given order."""

    option: int
    text: str


def option_forms(answers: AnswerOptions, before: str) -> list[OptionForm]:
    """The beginnings that stand for the options of a prompt, all different.

    Args:
        answers: of the prompt, in the order that it shows
        before: all that the model reads before the response
    """
    spaces = ("",) if not before or before[-1].isspace() else ("", " ")
    letters = LETTERS[: len(answers.shown)]
    forms = [
        OptionForm(place, space + text)
        for space in spaces
        for letter, place in zip(letters, answers.shown, strict=True)
        for text in (letter, answers.texts[place])
        if text == letter or text not in letters  # a text that is the letter of an option says nothing
    ]
    return list({form.text: form for form in reversed(forms)}.values())[::-1]


def option_masses(
    answers: AnswerOptions, forms: Sequence[OptionForm], tokens: Sequence[TokenLogprobs]
) -> tuple[list[float], float]:
    """Probability of each option, in the given order, and what is left: that of a response which begins with none.

    tokens: of each form, what the model says of it after the prompt.
    """
    masses = [0.0] * len(answers.options)
    likely = [math.exp(math.fsum(each.logprob.tolist())) for each in tokens]
    longer = [
        {j for j in range(len(forms)) if _goes_on(forms[i], tokens[i], forms[j], tokens[j])} for i in range(len(forms))
    ]
    for i, form in enumerate(forms):
        nearest = longer[i] - {k for j in longer[i] for k in longer[j]}
        masses[form.option] += max(0.0, likely[i] - math.fsum(likely[j] for j in nearest))
    return masses, max(0.0, 1.0 - math.fsum(masses))


def _goes_on(form: OptionForm, tokens: TokenLogprobs, longer: OptionForm, others: TokenLogprobs) -> bool:
    """Whether a response that begins with the longer form begins with this one; by tokens, where they are known."""
    ids, other_ids = tokens.ids.tolist(), others.ids.tolist()
    if min([*ids, *other_ids], default=-1) >= 0:
        return len(ids) < len(other_ids) and other_ids[: len(ids)] == ids
    rest = longer.text[len(form.text) :]
    return bool(rest) and longer.text.startswith(form.text) and not rest[0].isalnum()
