"""A condition's answers to one question, and what they come to over questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.metrics.answer_distributions import sampling_floor
from alignbench.metrics.statistics import Uncertainty
from alignbench.spec import Prompt
from alignbench.surveys.asking import option_orders
from alignbench.surveys.distribution import AnswerDistribution, Reply, of_masses, of_replies
from alignbench.surveys.summary import summarize
from alignbench.surveys.to_json import answer_json, summary_json

SCALE = AnswerOptions(
    tuple(AnswerOption(text, value) for text, value in (("Low", 1.0), ("Middle", 2.0), ("High", 3.0))),
    (HumanGroup("town", (0.2, 0.3, 0.5), 40), HumanGroup("country", (1.0, 0.0, 0.0))),
)
QUESTION = Prompt("q", "How high?", "mine", SCALE)
WITH_REFUSAL = Prompt(
    "r",
    "How high?",
    "mine",
    AnswerOptions(
        (*SCALE.options[:2], AnswerOption("Not saying", refusal=True)), (HumanGroup("town", (0.3, 0.3, 0.4)),)
    ),
)


def test_known_answers() -> None:
    answer = of_masses(QUESTION, "m", [(0.4, 0.24, 0.16), (0.3, 0.18, 0.12)], [0.2, 0.4])
    assert answer.p == pytest.approx((0.5, 0.3, 0.2))
    assert (answer.outside, answer.n, answer.refusal_share) == (pytest.approx(0.3), None, None)
    line = answer_json(answer)
    assert line["groups"]["town"] == pytest.approx(
        {"tv": 0.3, "jsd": 0.0958, "w1": 0.6, "representativeness": 0.7, "floor": sampling_floor((0.2, 0.3, 0.5), 40)},
        abs=1e-4,
    )
    assert line["groups"]["country"]["floor"] == 0.0
    assert (line["order_consistency"], line["unparsed"], line["refusals"]) == (pytest.approx(1.0), None, None)


def test_log_probs_that_follow_the_place_are_told_from_those_that_follow_the_option() -> None:
    orders = option_orders(3, "cyclic")
    by_place = [[0.8 if order.index(option) == 0 else 0.1 for option in range(3)] for order in orders]
    answer = of_masses(QUESTION, "m", by_place, [0.0] * 3)
    assert answer.p == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert answer.order_consistency == pytest.approx(0.3)
    assert answer.to_uniform is not None
    assert answer.to_uniform.tv == pytest.approx(0.0)


def test_mass_on_refusals_is_told_apart() -> None:
    answer = of_masses(WITH_REFUSAL, "m", [(0.3, 0.1, 0.4)], [0.2])
    assert answer.p == pytest.approx((0.75, 0.25))
    assert answer.refusal_share == pytest.approx(0.5)
    assert answer.order_consistency is None
    assert answer_json(answer)["options"] == ["Low", "Middle"]
    assert answer.groups["town"] == pytest.approx((0.5, 0.5))


def test_replies_are_counted_and_none_is_dropped() -> None:
    replies = {
        (0, 1, 2): [Reply("A"), Reply("B. Middle"), Reply("C"), Reply("I'm sorry, but I cannot answer.")],
        (1, 2, 0): [Reply("C"), Reply("Low"), Reply("B"), Reply("Hm."), Reply("", refused=True)],
    }
    answer = of_replies(WITH_REFUSAL, "m", replies)
    assert (answer.n, answer.refusals, answer.unparsed) == (9, 4, 1)  # the option twice, and two in words
    assert answer.n_answers == 4
    assert answer.p == pytest.approx((0.75, 0.25))
    assert answer.by_order == (pytest.approx((0.5, 0.5)), pytest.approx((1.0, 0.0)))
    assert answer.order_consistency == pytest.approx(0.5)
    assert answer.floor == pytest.approx(sampling_floor((0.75, 0.25), 4))
    assert answer.refusal_share == pytest.approx(4 / 9)


def test_without_an_answer_there_is_no_distribution() -> None:
    answer = of_replies(QUESTION, "m", {(0, 1, 2): [Reply("Hm."), Reply("I cannot answer that.")], (1, 2, 0): []})
    line = answer_json(answer)
    assert (line["p"], line["entropy"], line["order_consistency"], line["floor"]) == (None, None, None, None)
    assert (line["n"], line["refusals"], line["unparsed"]) == (2, 1, 1)
    assert line["groups"]["town"]["tv"] is None


def drawn(
    questions: Sequence[Prompt], condition: str, p: Sequence[float], n: int, rng: np.random.Generator
) -> list[AnswerDistribution]:
    orders = option_orders(3, "all")
    return [
        of_replies(
            question,
            condition,
            {order: [Reply("ABC"[order.index(i)]) for i in rng.choice(3, n, p=p)] for order in orders},
        )
        for question in questions
    ]


QUESTIONS = tuple(Prompt(f"q{i}", f"How high, {i}?", "mine", SCALE) for i in range(24))


def test_two_halves_of_one_condition_are_as_far_apart_as_chance_says() -> None:
    rng = np.random.default_rng(3)
    answers = [each for name in ("a", "b") for each in drawn(QUESTIONS, name, (0.5, 0.3, 0.2), 4, rng)]
    summary = summarize(answers, ["a", "b"], {}, Uncertainty(resamples=500))
    (between,) = summary.between
    tv, floor = between.distances["tv"], between.floor.value
    assert (between.condition, between.other, tv.n) == ("a", "b", 24)
    assert tv.ci is not None and floor is not None  # noqa: PT018
    assert tv.ci[0] < floor < tv.ci[1]
    for answering in summary.answering:
        expected, ci = answering.expected_consistency.value, answering.consistency.ci
        assert expected is not None and ci is not None  # noqa: PT018
        assert ci[0] - 0.02 < expected < ci[1] + 0.02


def test_a_persona_that_answers_as_the_group_steers_to_it_and_one_that_changes_nothing_does_not() -> None:
    rng = np.random.default_rng(1)
    answers = [
        *drawn(QUESTIONS, "m", (0.5, 0.3, 0.2), 4, rng),
        *drawn(QUESTIONS, "m as Town", (0.2, 0.3, 0.5), 4, rng),
        *drawn(QUESTIONS, "m as nobody", (0.5, 0.3, 0.2), 4, rng),
    ]
    personas = {"m as Town": ("m", "Town"), "m as nobody": ("m", "nobody")}
    summary = summarize(answers, ["m", *personas], personas, Uncertainty(resamples=500, flips=500))
    steering = {(each.persona, each.group): each for each in summary.steering}
    town, null = steering["Town", "town"], steering["nobody", "town"]
    assert (town.named, null.named, steering["Town", "country"].named) == (True, False, False)
    assert town.difference.clear
    assert town.difference.value == pytest.approx(-0.3 + sampling_floor((0.2, 0.3, 0.5), 24), abs=0.05)
    assert not null.difference.clear
    assert steering["Town", "country"].difference.value == pytest.approx(0.3, abs=0.08)
    told = summary_json(summary)
    assert {row["group"] for row in told["groups"]} == {"town", "country"}
    assert len(told["steering"]) == 4


def test_both_ways_of_a_condition_are_compared() -> None:
    rng = np.random.default_rng(2)
    read = [of_masses(question, "m", [(0.5, 0.3, 0.2)], [0.0]) for question in QUESTIONS]
    replies = drawn(QUESTIONS, "m", (0.5, 0.3, 0.2), 4, rng)
    summary = summarize([*read, *replies], ["m"], {}, Uncertainty(resamples=500))
    (ways,) = summary.ways
    assert (ways.condition, ways.by, ways.other) == ("m", "logprob", "sample")
    assert ways.distances["tv"].value == pytest.approx(ways.floor.value or 0.0, abs=0.03)
    assert summary.between == ()
