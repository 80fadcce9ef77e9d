"""Scores of one set that rest on the stances a judge takes its responses to have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alignbench.judging.stances import Stances
from alignbench.metrics.stances import both_share, response_coverage, stance_entropy, union_coverage
from alignbench.metrics.values import Value
from alignbench.scoring.aggregate import EQUAL_N
from alignbench.scoring.responses import Responses

ENTROPY, COVERAGE, UNION, BOTH = "stance_entropy", "stance_coverage", "stance_union", "names_both"
STANCE_SCORES = (ENTROPY, COVERAGE, UNION, BOTH)

NO_STANCE = "no response has a stance"


def stances_of(responses: Responses, stances: Stances) -> dict[str, dict[str, list[str]]]:
    """By prompt and condition the stances of its responses; without prompts that have none."""
    there = {}
    for prompt in responses.prompts:
        cells = responses.cells(prompt)
        of = {name: stances.cell(name, prompt, cells.get(name, {})) for name in responses.conditions}
        if any(of.values()):
            there[prompt] = of
    return there


def stance_scores(responses: Responses, stances: Stances) -> dict[tuple[str, str], dict[str, Value]]:
    """`STANCE_SCORES` by prompt and condition; those that move with n at equal n too, where conditions differ."""
    scores: dict[tuple[str, str], dict[str, Value]] = {
        (prompt, name): dict.fromkeys(STANCE_SCORES, Value(None, 0, NO_STANCE))
        for prompt in responses.prompts
        for name in responses.conditions
    }
    for prompt, of in stances_of(responses, stances).items():
        sizes = {len(said) for said in of.values() if said}
        equal = min(sizes) if len(sizes) > 1 else None
        for name, said in of.items():
            if said:
                scores[prompt, name] = cell_scores(said, equal)
    return scores


def cell_scores(said: list[str], equal: int | None = None) -> dict[str, Value]:
    """Of one response or more. equal: so many at most, at which sets are compared; None where all have as many."""
    n = len(said)
    return {
        ENTROPY: _moving(stance_entropy, said, equal),
        COVERAGE: Value(response_coverage(said), n),
        UNION: _moving(union_coverage, said, equal),
        BOTH: Value(both_share(said), n),
    }


def _moving(score: Callable[[Sequence[str], int], float | None], said: Sequence[str], equal: int | None) -> Value:
    at_equal = None if equal is None else score(said, equal)
    return Value(score(said, len(said)), len(said), extra={} if at_equal is None else {EQUAL_N: at_equal})
