"""Ladders of temperatures in a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.errors import InputError
from alignbench.judging.qualities import Qualities
from alignbench.metrics.statistics import Uncertainty
from alignbench.reports.frontier import at_temperature, frontier, ladder, parse_temperatures
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables, WithinEstimate
from alignbench.spec import Condition, Model, Sampling

BASE, CHAT = Model("base", "demo-base", "base"), Model("chat", "imported:chat", "aligned")


def at(model: Model, temperature: float, **changes: object) -> Condition:
    name = f"{model.name}@{temperature:g}"
    sampling = Sampling(temperature=temperature, max_tokens=int(changes.pop("max_tokens", 64)))  # type: ignore[call-overload]
    return Condition.zero_shot(model, name=name, sampling=sampling, **changes)


def test_conditions_that_differ_in_their_temperature_alone_are_one_ladder() -> None:
    conditions = [at(BASE, 0.3), at(BASE, 1.0), at(CHAT, 0.3), replace(at(BASE, 0.3, seed=9), name="other seed")]
    score = WithinEstimate(0.5, None, 1, samples=2)
    within = {c.name: {"jaccard": score, "surprisal": score} for c in conditions}
    tables = ScoreTables(within, {c.name: {"jaccard": CrossEstimate(0.5, None, 1)} for c in conditions})
    qualities = Qualities("j", {("base@0.3", "p", 0): 2.0, ("base@0.3", "p", 1): 4.0})
    plane = frontier(conditions, (0.3, 1.0), tables, qualities, Uncertainty(resamples=50))
    points = [(p.group, p.temperature, p.condition) for p in plane.points]
    assert points == [
        ("base@0.3", 0.3, "base@0.3"),
        ("base@0.3", 1.0, "base@1"),
        ("chat@0.3", 0.3, "chat@0.3"),
        ("other seed", 0.3, "other seed"),
    ]
    assert plane.points[0].quality.value == 3.0
    assert plane.points[0].diversity == {"jaccard": score}
    assert plane.points[1].quality.reason == "no quality judgments"
    missing = {(m.group, m.temperature): m.how for m in plane.missing}
    assert set(missing) == {("chat@0.3", 1.0), ("other seed", 1.0)}
    assert "cannot be sampled" in missing["chat@0.3", 1.0]
    assert "temperature = 1" in missing["other seed", 1.0]


def test_a_group_without_any_of_the_temperatures_has_no_part() -> None:
    plane = frontier([at(BASE, 0.5)], (0.3, 1.0), ScoreTables(), Qualities("", {}), Uncertainty())
    assert (plane.points, plane.missing) == ((), ())


def test_the_rungs_of_a_session_are_found() -> None:
    first = at(BASE, 0.5)
    hot = at_temperature(first, 1.2)
    assert (hot.name, hot.sampling.temperature) == ("base@0.5@temp1.2", 1.2)
    assert ladder([first, at(CHAT, 0.3), hot]) == ([first, hot], (0.5, 1.2))
    assert ladder([first, at(CHAT, 0.5)]) == ([], ())


@pytest.mark.parametrize("text", ["", "0.5", "hot,cold", "0.5,0.5", "-1,2"])
def test_temperatures_are_two_numbers_or_more(text: str) -> None:
    with pytest.raises(InputError, match="expected two numbers or more"):
        parse_temperatures(text)
    assert parse_temperatures("1.0,0.3") == (0.3, 1.0)
