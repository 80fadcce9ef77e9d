"""How often a survey says something of nothing: planted voters, whose distributions are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from statistics import fmean

import numpy as np
import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.metrics.statistics import Uncertainty
from alignbench.spec import Prompt
from alignbench.surveys.distribution import AnswerDistribution, Reply, of_replies, with_paraphrases
from alignbench.surveys.summary import SurveySummary, summarize

N_SURVEYS, N_QUESTIONS, N_ORDERS, N_REPLIES = 200, 24, 3, 4  # replies to each order
LETTERS = ("A", "B", "C")
Rng = np.random.Generator
Voter = Callable[[np.ndarray, np.ndarray, Rng], np.ndarray]  # (p, group, rng) -> (K,) probabilities of the persona

pytestmark = pytest.mark.error_rates


def answered(question: Prompt, condition: str, p: np.ndarray, rng: Rng) -> AnswerDistribution:
    """Replies of a voter who looks at the options and not at their places."""
    orders = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    drawn = {order: rng.choice(3, N_REPLIES, p=p) for order in orders}
    replies = {
        order: [Reply(LETTERS[order.index(option)]) for option in options.tolist()] for order, options in drawn.items()
    }
    return of_replies(question, condition, replies)


def survey(seed: int, persona: Voter) -> SurveySummary:
    """Three conditions: two halves of one, and the first as a persona."""
    rng = np.random.default_rng(seed)
    answers = []
    for i in range(N_QUESTIONS):
        p, group = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3))
        shares = tuple((np.round(group, 6) / np.round(group, 6).sum()).tolist())
        options = AnswerOptions(
            tuple(AnswerOption(name) for name in ("red", "green", "blue")), (HumanGroup("g", shares),)
        )
        question = Prompt(f"q{i}", "Which?", "mine", options)
        for name, of in (("one", p), ("half", p), ("one as g", persona(p, group, rng))):
            answers.append(answered(question, name, of, rng))
    personas = {"one as g": ("one", "g")}
    return summarize(answers, ("one", "half", "one as g"), personas, Uncertainty(resamples=500, flips=500))


@cache
def of_nobody() -> list[SurveySummary]:
    """A persona that changes nothing."""
    return [survey(seed, lambda p, _group, _rng: p) for seed in range(N_SURVEYS)]


def test_a_persona_that_changes_nothing_steers_seldom() -> None:
    found = [each.steering[0].difference.p for each in of_nobody()]
    assert fmean(p is not None and p < 0.05 for p in found) <= 0.09  # 5%, and three standard errors


def test_a_persona_that_answers_half_as_its_group_does_is_found() -> None:
    halfway: Voter = lambda p, group, _rng: (p + group) / 2  # noqa: E731
    steered = [survey(seed, halfway).steering[0].difference for seed in range(20)]
    assert all(one.p is not None and one.p < 0.05 and one.value is not None and one.value < 0 for one in steered)


def test_two_halves_of_one_condition_are_as_far_apart_as_chance_has_it() -> None:
    over = []
    for each in of_nobody():
        (halves,) = [one for one in each.between if {one.condition, one.other} == {"one", "half"}]
        tv, floor = halves.distances["tv"].value, halves.floor.value
        assert tv is not None
        assert floor is not None
        over.append(tv - floor)
    assert abs(fmean(over)) < 3 * float(np.std(over)) / len(over) ** 0.5


def test_a_voter_who_ignores_the_wording_is_as_consistent_as_chance_has_it() -> None:
    rng = np.random.default_rng(11)
    options = AnswerOptions(tuple(AnswerOption(name) for name in ("red", "green", "blue")))
    wordings = [Prompt("q", "Which?", "mine", options)]
    wordings += [Prompt(f"q{i}", f"Or {i}?", "mine", replace(options, paraphrase_of="q")) for i in range(2)]
    under = []
    for _ in range(N_SURVEYS):
        gaps = []
        for _ in range(N_QUESTIONS):
            p = rng.dirichlet(np.ones(3))
            first = with_paraphrases([answered(wording, "one", p, rng) for wording in wordings])[0]
            assert first.paraphrase_consistency is not None
            assert first.expected_paraphrase_consistency is not None
            gaps.append(first.paraphrase_consistency - first.expected_paraphrase_consistency)
        under.append(fmean(gaps))
    assert abs(fmean(under)) < 3 * float(np.std(under)) / len(under) ** 0.5


def test_a_voter_who_ignores_the_order_is_as_consistent_as_chance_has_it() -> None:
    under = []
    for each in of_nobody():
        own = next(one for one in each.answering if one.condition == "one")
        assert own.consistency.value is not None
        assert own.expected_consistency.value is not None
        under.append(own.consistency.value - own.expected_consistency.value)
    assert abs(fmean(under)) < 3 * float(np.std(under)) / len(under) ** 0.5
