"""The templates that ship: every one can be asked, and shows a pair in both orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.judging.replies import read_reply
from alignbench.judging.templates import KINDS, PAIRED, WITHIN, judge_template


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_holds_the_item_and_no_markup_of_it(kind: str) -> None:
    template = judge_template(kind)
    responses = ["{{ question }} [/] REF", "{% if %} NEW"] if kind in (*PAIRED, *WITHIN) else ["{{ question }} [/]"]
    asked = template.ask("Why <b>?", responses)
    assert all(text in asked for text in ["Why <b>?", *responses])
    assert asked == asked.strip()


def keys(schema: dict[str, Any]) -> Iterator[str]:
    for name, described in schema.get("properties", {}).items():
        yield name
        yield from keys(described.get("items", described))


@pytest.mark.parametrize("kind", KINDS)
def test_the_instructions_name_every_key_and_show_no_reply_to_copy(kind: str) -> None:
    template = judge_template(kind)
    assert template.ask("q", ["a", "b"]).startswith(template.instructions)
    assert all(f'"{key}"' in template.instructions for key in keys(template.schema_object()))
    assert read_reply(template, template.instructions).status == "invalid"


@pytest.mark.parametrize("kind", [*PAIRED, *WITHIN])
def test_a_flipped_pair_is_the_other_order(kind: str) -> None:
    template = judge_template(kind)
    straight, flipped = (template.ask("q", ["REF", "NEW"], flipped=f) for f in (False, True))
    assert straight.index("REF") < straight.index("NEW")
    assert flipped.index("NEW") < flipped.index("REF")


def test_new_information_names_the_known_answer_in_both_orders() -> None:
    template = judge_template("new-information")
    for flipped in (False, True):
        asked = template.ask("q", ["REF", "NEW"], flipped=flipped)
        assert "<known-answer>\nREF\n</known-answer>" in asked
        assert "<new-answer>\nNEW\n</new-answer>" in asked


def test_the_hash_is_of_everything_that_is_asked() -> None:
    template = judge_template("stance")
    changed = [replace(template, prompt="x"), replace(template, schema="{}"), replace(template, max_tokens=1)]
    assert len({template.hash, *(other.hash for other in changed)}) == 4


def test_the_schemas_are_json() -> None:
    for kind in KINDS:
        assert json.loads(judge_template(kind).schema)["type"] == "object"


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean quality"):
        judge_template("qualty")
