"""Contexts hash by content, and by what differs from the defaults alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Model, Prefill

ITEMS = (Example("Why?", "So."), Example("How?", "Thus.", "a hint"))
FULL = Context(
    "plain",
    name="full",
    instruction="Be kind.",
    examples=Examples(ExampleSet(ITEMS, "house"), select="random", k=1, seed=3, draw="all"),
    hint=Hint("summary", condition="demo-smollm2", maker="demo-smollm2", template="Sum it up."),
    prefill=Prefill(condition="demo-smollm2", tokens=4),
    stops=("###",),
)


def test_zero_shot_contexts_hash_as_in_files_written_before_contexts_had_more_fields() -> None:
    assert Context("plain").hash == "c5743dab160ea5d24c1260121966b1c77d5f88ab752cae5fefe79f2d31770a34"
    assert Context("chat").hash == "f09ad0d2753aec8340f359a4c552ada7427786483f26a86ce5a13efa80b0e86d"
    condition = Condition.zero_shot(Model("raw", "demo-base", "base"))
    assert condition.hash == "9733eada933960d040d658672baa38e13e14db8a860eb76c19ddc0a6bc327174"


def test_names_are_not_hashed() -> None:
    renamed = replace(FULL.examples or Examples(), pool=ExampleSet(ITEMS, "another name", "somewhere"))
    assert replace(FULL, name="another", examples=renamed).hash == FULL.hash


@pytest.mark.parametrize(
    "change",
    [
        {"instruction": "Be brief."},
        {"examples": None},
        {"examples": Examples(ExampleSet(ITEMS[:1]), select="random", k=1, seed=3, draw="all")},
        {"hint": Hint("keywords", condition="demo-smollm2", maker="demo-smollm2", template="Sum it up.")},
        {"prefill": None},
        {"source": "{{ query }}"},
        {"stops": ()},
        {"arguments": '{"enable_thinking": false}'},
        {"overflow": "refuse"},
        {"thinking_end": "</think>"},
    ],
)
def test_everything_else_is(change: dict[str, Any]) -> None:
    assert replace(FULL, **change).hash != FULL.hash


def test_json_and_back() -> None:
    pools = {FULL.examples.pool.hash: FULL.examples.pool} if FULL.examples else {}
    assert Context.from_json(json.loads(json.dumps(FULL.to_json())), pools.__getitem__) == FULL
    assert Context.from_json({"template": "plain", "name": ""}, pools.__getitem__) == Context("plain")


def test_a_zero_shot_context_says_so() -> None:
    assert Context("plain", name="x").zero_shot
    assert not FULL.zero_shot
    assert not Context("jinja", source="{{ query }}").zero_shot


def test_an_example_is_stripped_and_never_empty() -> None:
    assert Example(" a ", "\nb\n", " c ") == Example("a", "b", "c")
    with pytest.raises(InputError, match="response of an example is empty"):
        Example("a", " \n")
