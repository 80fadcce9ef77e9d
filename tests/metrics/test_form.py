"""Lists, abstention, length differences and the most alike pair, on known answers and on the release."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.abstention import abstains
from alignbench.metrics.length_difference import mean_difference
from alignbench.metrics.lexical import jaccard
from alignbench.metrics.lists import has_list, list_items
from alignbench.metrics.running_cell import CellScores
from alignbench.metrics.values import Response, Value
from alignbench.overton.read import datasets, read_dataset
from tests.support.paper_data import OVERTON, needs_paper_data


def scored(metric: str, *texts: str) -> Value:
    cell = CellScores((metric,))
    for i, text in enumerate(texts):
        cell.add(i, text)
    return cell.within()[metric]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1. one\n2. two\n3. three", (3, 0)),
        ("1) one\n  2) two", (2, 0)),
        ("1. one\n1. one again\n2. two", (3, 0)),  # a second list begins
        ("In 1999. That was\n1999. no item", (0, 0)),
        ("- one\n* two\n\u2022 three", (0, 3)),
        ("a - b\n-c\n---", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_items_of_lists(text: str, items: tuple[int, int]) -> None:
    assert list_items(text) == items


def test_a_list_has_two_items_of_one_kind() -> None:
    assert has_list("1. one\n2. two")
    assert not has_list("1. one\n- two")
    assert scored("list_markers", "- a\n- b", "prose", "1. a\n2. b", "- a").value == 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("As an AI, I have no hands.", True),
        ("I\u2019m just an AI and can\u2019t  help.", True),
        ("I cannot provide advice on that.", True),
        ("I am unable to assist with this.", True),
        ("I must respectfully decline.", True),
        ("I don't have personal opinions.", True),
        ("You cannot provide a receipt twice.", False),
        ("AI will change painting.", False),
        ("I am sorry for your loss.", False),
        ("I provide help; ask me anything.", False),
    ],
)
def test_phrases_that_decline(text: str, expected: bool) -> None:
    assert abstains(text) is expected


def test_abstention_is_a_share() -> None:
    assert scored("abstention", "As an AI, no.", "Yes.", "No.", "Maybe.").value == 0.25


@given(st.lists(st.integers(0, 500), min_size=2, max_size=12))
def test_length_difference_is_the_mean_over_pairs(lengths: list[int]) -> None:
    pairs = [abs(a - b) for a, b in combinations(lengths, 2)]
    assert mean_difference(lengths) == pytest.approx(sum(pairs) / len(pairs))


def test_length_difference_in_words() -> None:
    assert scored("length_difference", "a b c", "a", "a b").value == pytest.approx(4 / 3)
    assert scored("length_difference", "a b c").value is None


@given(st.lists(st.text("abcd ", min_size=1, max_size=9), min_size=2, max_size=7))
def test_the_most_alike_pair(texts: list[str]) -> None:
    responses = [response for i, text in enumerate(texts) if not (response := Response(i, text)).empty]
    known = [jaccard(a.content, b.content) for a, b in combinations(responses, 2)]
    there = [similarity for similarity in known if similarity is not None]
    assert scored("jaccard_max", *texts).value == (pytest.approx(max(there)) if there else None)


def test_a_response_drawn_twice_is_the_most_alike_pair() -> None:
    assert scored("jaccard_max", "red apples", "green pears", "red apples").value == 1.0
    assert scored("jaccard_max", "red apples", "red pears", "plums").value == pytest.approx(1 / 3)


@needs_paper_data
def test_what_the_release_looks_like() -> None:
    """Under the summary hint the base model takes to declining, as an example of it does; lists are the teacher's."""
    (dataset,) = datasets(OVERTON)
    shares = {
        each.condition.name: (
            sum(map(abstains, texts)) / len(texts),
            sum(map(has_list, texts)) / len(texts),
        )
        for each in read_dataset(dataset).conditions
        if (texts := [s.text for cell in each.cells for s in cell.samples if s.text.strip()])
    }
    assert shares["llama-2-base"] == pytest.approx((0.0, 0.197), abs=5e-4)
    assert shares["llama-2-chat"] == pytest.approx((0.048, 0.916), abs=5e-4)
    assert shares["llama-2-icl-chat-rand"] == pytest.approx((0.004, 0.684), abs=5e-4)
    assert shares["llama-2-icl-chat-summary"] == pytest.approx((0.352, 0.476), abs=5e-4)
