"""The JSON object that is meant, among thoughts, drafts, braces and prose."""

from __future__ import annotations

import json
import time

import pytest

from alignbench.experiments.verbalized import answers, stated_probabilities
from alignbench.json_reply import conforming
from alignbench.judging.replies import read_reply
from alignbench.judging.templates import judge_template

SCHEMA = {"type": "object", "properties": {"grade": {"enum": [1, 2, 3]}}, "required": ["grade"]}
DRAFT, FINAL = '{"grade": 1}', '{"grade": 3}'


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>At first {DRAFT}, but no.</think>\n{FINAL}",
        f"At first {DRAFT}, but no.</think>{FINAL}",
        f"<think>At first {DRAFT}</think>{FINAL}<think>or {DRAFT}?</think>",
        f"{FINAL}\n<think>or {DRAFT}?",
        f"<think>The set {{a, b}} is fine; so is {{</think>{FINAL}",
        f"The set {{a, b}} is fine. {FINAL}",
        f"Either {DRAFT} or, on reflection, {FINAL}",
        f"```json\n{DRAFT}\n```\nNo:\n```json\n{FINAL}\n```",
        f'The form is {json.dumps(SCHEMA)} and I answer {FINAL} {{"done": true}}',
        '{"why": "it says <think> and {", "grade": 3}',
        '{"why": "it says </think>", "grade": 3}',
        '{"answer": {"why": {}, "grade": 3}}',
        f"[{DRAFT}, {FINAL}]",
        f"<THINKING>{DRAFT}</THINKING>{FINAL}",
        f"<reasoning>{DRAFT}</reasoning>{FINAL}",
        f"<thought>{DRAFT}</thought>{FINAL}",
        f"<seed:think>{DRAFT}</seed:think>{FINAL}",
        f"[THINK]{DRAFT}[/THINK]{FINAL}",
        f"◁think▷{DRAFT}◁/think▷{FINAL}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|channel|>final<|message|>{FINAL}",
    ],
)
def test_the_last_object_of_the_form_outside_of_thoughts_is_meant(reply: str) -> None:
    assert conforming(reply, SCHEMA) == {"grade": 3}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Three, I think.", "no JSON object in the reply"),
        (f"<think>Perhaps {DRAFT}, or {DRAFT}", "the thoughts have no end"),
        (f"<think>Perhaps {DRAFT}.</think> So be it.", "no JSON object after the thoughts"),
        ('{"grade": 7}', "grade is 7; expected one of 1, 2, 3"),
        ('The set {a, b}. {"grade": 7}', "grade is 7"),
        ('{"grade": 3,}', "cannot be read"),
        ('{"grade": 3 // good\n}', "cannot be read"),
        ('{"why": {"because": {"of": "a cut', "Unterminated string starting at: character 28"),
    ],
)
def test_what_is_wrong_is_said(reply: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        conforming(reply, SCHEMA)


@pytest.mark.parametrize("piece", ["{", '{"a":', '{"a": [', "[{", "<think>", "</think>", '{"a": {}} ', '{"'])
def test_a_hostile_reply_is_read_in_no_time(piece: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        conforming(piece * 20_000, SCHEMA)
    assert time.process_time() - start < 5


def test_judgments_and_verbalized_answers_are_read_so() -> None:
    said = '{"answers": [{"text": "%s", "probability": 0.5}]}'
    reply = f"<think>{said % 'draft'}</think>{said % 'final'}"
    assert [answer.text for answer in answers(reply, 1)] == ["final"]
    assert stated_probabilities(f"<think>{{a}}</think>{said % 'final'}") == (0.5,)
    assert stated_probabilities("prose") == ()
    grades = dict.fromkeys(("helpfulness", "clarity", "factuality", "depth", "engagement"), 2)
    thought = f"<think>{json.dumps({'rationale': '', **grades})}</think>"
    read = read_reply(judge_template("quality"), thought + json.dumps({"rationale": "", **grades, "depth": 5}))
    assert read.fields == {**grades, "depth": 5}
