"""Which pairs a judge is asked about until every response is in a class."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.judging.class_plan import CellClasses, ClassPlan, class_labels
from alignbench.metrics.semantic import classes

truths = st.lists(st.integers(0, 3), min_size=2, max_size=7)


@given(truths, st.randoms(use_true_random=False), st.floats(0, 1))
def test_it_ends_in_the_classes_of_all_pairs_within_its_bounds(
    truth: list[int], order: random.Random, known: float
) -> None:
    """Whatever was judged before, and in whatever order judgments come."""
    samples = [3 * i for i in range(len(truth))]
    same = {(3 * i, 3 * j): truth[i] == truth[j] for i, j in combinations(range(len(truth)), 2)}
    cell = CellClasses(samples, {pair: said for pair, said in same.items() if order.random() < known})
    before = len(cell.known)
    plan = ClassPlan({("p", "c"): cell})
    least, most = plan.bounds
    waiting = [pair for _, pair in plan.first()]
    asked = set(waiting)
    while waiting:
        pair = waiting.pop(order.randrange(len(waiting)))
        for _, more in plan.after(("p", "c"), pair, same[pair]):
            assert more not in asked
            asked.add(more)
            waiting.append(more)
    assert class_labels(samples, cell.known) == classes(len(truth), lambda i, j: truth[i] == truth[j])
    assert least <= len(asked) == len(cell.known) - before <= most
    assert plan.bounds == (0, 0)


@pytest.mark.parametrize(("truth", "requests"), [("aaaaa", 4), ("abcde", 10), ("aabab", 4 + 1), ("abab", 3 + 1)])
def test_alike_responses_cost_one_request_each_and_different_ones_a_request_a_pair(truth: str, requests: int) -> None:
    cell = CellClasses(range(len(truth)))
    assert cell.bounds() == (len(truth) - 1, len(truth) * (len(truth) - 1) // 2)
    n = 0
    while new := cell.needed():
        n += len(new)
        cell.known |= {(i, j): truth[i] == truth[j] for i, j in new}
    assert n == requests


def test_a_pair_that_could_not_be_read_decides_nothing_and_ends_its_cell_alone() -> None:
    plan = ClassPlan({("p", "a"): CellClasses([0, 1, 2]), ("p", "b"): CellClasses([0, 1])})
    assert len(plan.first()) == 3
    assert not plan.after(("p", "a"), (0, 1), None)
    assert not plan.after(("p", "a"), (0, 2), False)
    assert not plan.after(("p", "b"), (0, 1), True)
    assert plan.bounds == (0, 0)
    labels = [class_labels(cell.samples, cell.known) for cell in plan.cells.values()]
    assert labels == [None, (0, 0)]
