"""What a survey comes to over its questions: means with intervals, beside what chance alone gives.

A question and its paraphrases are one question: its value is the mean over its wordings, as they are no more
independent of each other than its orders are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, log2
from statistics import fmean

from alignbench.metrics.answer_distributions import AnswerDistance, steerability
from alignbench.metrics.estimates import Estimate, mean_estimates, paired_differences
from alignbench.metrics.intervals import UNIT, Bounds
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.surveys.distribution import AnswerDistribution, Way
from alignbench.surveys.survey import Personas, is_named_after

DISTANCES: Mapping[str, Bounds] = {"tv": UNIT, "jsd": UNIT, "w1": (0.0, inf), "representativeness": UNIT}
UNIFORM = "uniform"


@dataclass(frozen=True, slots=True)
class Rewording:
    """consistency: over the wordings of a question; expected: what it would be by chance alone where they change
    nothing. Means over the questions that have paraphrases."""

    consistency: Estimate
    expected: Estimate


@dataclass(frozen=True, slots=True)
class Answering:
    """How a condition answers, over questions.

    Attributes:
        condition: its name
        by: the way
        entropy: bits
        consistency: over orders, and what it would be by chance alone where the order changes nothing
        expected_consistency: see there
        outside: probability on no option, None where replies were drawn
        n, refusals, unparsed, judged: replies in all, None where log-probs were read
        unanswered: questions without any answer, each wording counted
        rewording: None where no question has paraphrases
    """

    condition: str
    by: Way
    entropy: Estimate
    consistency: Estimate
    expected_consistency: Estimate
    outside: Estimate | None
    n: int | None
    refusals: int | None
    unparsed: int | None
    judged: int | None
    unanswered: int
    rewording: Rewording | None = None


@dataclass(frozen=True, slots=True)
class MeanDistance:
    """Mean distances over the questions that both sides answer.

    Attributes:
        condition, by: the one side
        other: the other: a group of people, equal shares of all options, a condition, or the condition by replies
        distances: by the names of `DISTANCES`; no value where no question has one
        floor: mean total variation that chance alone gives where both sides answer alike
    """

    condition: str
    by: Way
    other: str
    distances: Mapping[str, Estimate]
    floor: Estimate


@dataclass(frozen=True, slots=True)
class Steering:
    """Total variation to a group with a persona minus without it: under 0, the persona brings the answers closer.

    named: whether the persona is that of this group
    """

    condition: str
    persona: str
    by: Way
    group: str
    named: bool
    difference: PairedDifference


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """Everything that is said over questions. to_uniform, to_groups, between, ways: distances of these two sides."""

    answering: tuple[Answering, ...]
    to_uniform: tuple[MeanDistance, ...]
    to_groups: tuple[MeanDistance, ...]
    between: tuple[MeanDistance, ...]
    ways: tuple[MeanDistance, ...]
    steering: tuple[Steering, ...]


_Side = tuple[str, Way]
_Answers = Mapping[str, AnswerDistribution]  # by question


def summarize(
    answers: Sequence[AnswerDistribution],
    names: Sequence[str],
    personas: Personas,
    uncertainty: Uncertainty,
) -> SurveySummary:
    """From the answers to each question. names: of conditions, in the order of the tables. personas: as of `Survey`."""
    sides: dict[_Side, dict[str, AnswerDistribution]] = {}
    for each in sorted(answers, key=lambda each: (names.index(each.condition), each.by)):
        sides.setdefault((each.condition, each.by), {})[each.question.id] = each
    groups = list(dict.fromkeys(name for each in answers for name in each.groups))
    pairs = [(a, b) for a, b in combinations(sides, 2) if a[1] == b[1]]
    ways = [(a, b) for a, b in combinations(sides, 2) if a[0] == b[0]]
    return SurveySummary(
        tuple(_answering(side, of_side, uncertainty) for side, of_side in sides.items()),
        tuple(
            _distances(
                side, UNIFORM, of_side, lambda each: each.to_uniform, lambda each: each.floor_to_uniform, uncertainty
            )
            for side, of_side in sides.items()
        ),
        tuple(_to_group(side, group, of_side, uncertainty) for side, of_side in sides.items() for group in groups),
        tuple(_between(a, b, b[0], sides, uncertainty) for a, b in pairs),
        tuple(_between(a, b, b[1], sides, uncertainty) for a, b in ways),
        _steering(personas, sides, groups, uncertainty),
    )


def _answering(side: _Side, answers: _Answers, uncertainty: Uncertainty) -> Answering:
    columns: dict[str, dict[str, float | None]] = {
        "entropy": {id: each.entropy for id, each in answers.items()},
        "consistency": {id: each.order_consistency for id, each in answers.items()},
        "expected": {id: each.expected_consistency for id, each in answers.items()},
        "outside": {id: each.outside for id, each in answers.items()},
    }
    columns = {name: _over_wordings(column, answers) for name, column in columns.items()}
    wordings: dict[str, dict[str, float | None]] = {
        "consistency": {id: each.paraphrase_consistency for id, each in answers.items()},
        "expected": {id: each.expected_paraphrase_consistency for id, each in answers.items()},
    }
    reworded = None
    if any(each.paraphrases for each in answers.values()):
        reworded = mean_estimates(wordings, uncertainty, {"consistency": UNIT, "expected": UNIT})
    most = max(log2(len(each.options.answers)) for each in answers.values())
    bounds = {"entropy": (0.0, most), "consistency": UNIT, "expected": UNIT, "outside": UNIT}
    means = mean_estimates(columns, uncertainty, bounds)
    drawn = side[1] == "sample"
    return Answering(
        *side,
        means["entropy"],
        means["consistency"],
        means["expected"],
        None if drawn else means["outside"],
        _total(each.n for each in answers.values()) if drawn else None,
        _total(each.refusals for each in answers.values()) if drawn else None,
        _total(each.unparsed for each in answers.values()) if drawn else None,
        _total(each.judged for each in answers.values()) if drawn else None,
        sum(each.p is None for each in answers.values()),
        None if reworded is None else Rewording(reworded["consistency"], reworded["expected"]),
    )


def _over_wordings(values: Mapping[str, float | None], answers: _Answers) -> dict[str, float | None]:
    """Values by question: the mean over its wordings that have one."""
    of: dict[str, list[float]] = {}
    for id, value in values.items():
        root = answers[id].options.paraphrase_of
        known = of.setdefault(root if root in answers else id, [])
        if value is not None:
            known.append(value)
    return {id: fmean(known) if known else None for id, known in of.items()}


def _total(counts: Iterable[int | None]) -> int:
    return sum(count or 0 for count in counts)


def _distances(
    side: _Side,
    other: str,
    answers: _Answers,
    distance: Callable[[AnswerDistribution], AnswerDistance | None],
    floor: Callable[[AnswerDistribution], float | None],
    uncertainty: Uncertainty,
) -> MeanDistance:
    there = {id: (each, apart) for id, each in answers.items() if (apart := distance(each)) is not None}
    columns: dict[str, dict[str, float | None]] = {
        name: {id: getattr(apart, name) for id, (_, apart) in there.items()} for name in DISTANCES
    }
    columns["floor"] = {id: floor(each) for id, (each, _) in there.items()}
    columns = {name: _over_wordings(column, answers) for name, column in columns.items()}
    means = mean_estimates(columns, uncertainty, {**DISTANCES, "floor": UNIT})
    return MeanDistance(*side, other, {name: means[name] for name in DISTANCES}, means["floor"])


def _to_group(side: _Side, group: str, answers: _Answers, uncertainty: Uncertainty) -> MeanDistance:
    asked = {id: each for id, each in answers.items() if group in each.groups}
    return _distances(
        side, group, asked, lambda each: each.to_groups[group], lambda each: each.floor_to(group), uncertainty
    )


def _between(
    a: _Side, b: _Side, called: str, sides: Mapping[_Side, _Answers], uncertainty: Uncertainty
) -> MeanDistance:
    others = sides[b]
    both = {id: each for id, each in sides[a].items() if id in others}

    def distance(each: AnswerDistribution) -> AnswerDistance | None:
        p = others[each.question.id].p
        return None if p is None else each.distance_to(p)

    return _distances(
        a, called, both, distance, lambda each: each.floor_to_other(others[each.question.id]), uncertainty
    )


def _steering(
    personas: Personas, sides: Mapping[_Side, _Answers], groups: Sequence[str], uncertainty: Uncertainty
) -> tuple[Steering, ...]:
    """Corrected for all that are here."""
    pairs: dict[tuple[str, str, Way, str], tuple[dict[str, float | None], dict[str, float | None]]] = {}
    for (name, by), steered in sides.items():
        plain = sides.get((personas[name][0], by)) if name in personas else None
        for group in groups if plain else ():
            assert plain is not None
            both = [
                (id, plain[id], each)
                for id, each in steered.items()
                if id in plain and group in each.groups and each.p is not None and plain[id].p is not None
            ]
            gaps = _over_wordings(
                {id: steerability(a.p or (), b.p or (), b.groups[group]) for id, a, b in both}, steered
            )
            pairs[name, personas[name][1], by, group] = dict(gaps), dict.fromkeys(gaps, 0.0)
    bounds = dict.fromkeys(pairs, (-1.0, 1.0))
    return tuple(
        Steering(name, persona, by, group, is_named_after(persona, group), difference)
        for (name, persona, by, group), difference in paired_differences(pairs, uncertainty, bounds).items()
    )
