"""What the sets promise that a base model is tuned on; no question of a shipped prompt set is among them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations

import pytest

from alignbench import paths
from alignbench.contexts.example_files import shipped_example_set, shipped_example_sets
from alignbench.contexts.selection import is_near_duplicate
from alignbench.prompts import load_prompts, shipped_sets
from alignbench.spec import Example

NEAR = 0.85  # share of characters that two questions may have in common; the guard's own default is 0.95
SETS = ("tuning", "tuning-held-out")


def pairs() -> list[Example]:
    return [item for name in SETS for item in shipped_example_set(name).items]


def test_there_are_as_many_as_the_readme_says() -> None:
    assert [len(shipped_example_set(name).items) for name in SETS] == [250, 30]


@pytest.mark.parametrize("name", SETS)
def test_each_answer_names_its_style_and_has_40_to_160_words(name: str) -> None:
    file = paths.shipped_prompts() / "tuning" / f"{name}.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(set(record) == {"prompt", "response", "style"} for record in records)
    styles = Counter(record["style"] for record in records)
    assert len(styles) == 13
    for record in records:
        assert 40 <= len(record["response"].split()) <= 160, record["prompt"]


def test_refusals_and_both_sides_are_a_small_part() -> None:
    file = paths.shipped_prompts() / "tuning" / "tuning.jsonl"
    styles = Counter(json.loads(line)["style"] for line in file.read_text(encoding="utf-8").splitlines())
    assert 8 <= styles["refusal"] <= 15
    assert 20 <= styles["both-sides"] <= 30


def test_answers_do_not_begin_alike() -> None:
    beginnings = Counter(" ".join(item.response.casefold().split()[:3]) for item in pairs())
    assert max(beginnings.values()) <= 0.03 * len(pairs())


def test_no_question_is_there_twice_or_nearly() -> None:
    for one, other in combinations(pairs(), 2):
        assert not is_near_duplicate(one.prompt, other, NEAR), (one.prompt, other.prompt)


def test_no_question_of_a_shipped_set_is_trained_on() -> None:
    asked = {prompt.text for name in shipped_sets() for prompt in load_prompts(name)}
    asked |= {
        item.prompt for name in shipped_example_sets() if name not in SETS for item in shipped_example_set(name).items
    }
    assert len(asked) >= 126
    leaked = [(text, item.prompt) for text in asked for item in pairs() if is_near_duplicate(text, item, NEAR)]
    assert leaked == []
