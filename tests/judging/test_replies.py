"""What judges write, from a reply in perfect form to prose, and what is made of it."""

from __future__ import annotations

import json

import pytest

from alignbench.judging.replies import ASPECTS, read_reply
from alignbench.judging.templates import judge_template

QUALITY = judge_template("quality")
GRADES = {"helpfulness": 4, "clarity": 5, "factuality": 3, "depth": 2, "engagement": 1}


def quality(**changed: object) -> str:
    return json.dumps({"rationale": "Short.", **GRADES, **changed})


def test_the_five_aspects_are_read() -> None:
    reading = read_reply(QUALITY, quality())
    assert (reading.status, reading.fields, reading.reason) == ("valid", GRADES, "")


def test_not_applicable_is_none_with_its_reason() -> None:
    reading = read_reply(QUALITY, quality(factuality="N/A", depth="n/a"))
    assert reading.status == "valid"
    assert reading.fields == {**GRADES, "factuality": None, "depth": None}
    assert reading.reason == "N/A: factuality, depth"
    nothing = read_reply(QUALITY, quality(**dict.fromkeys(ASPECTS, "N/A")))
    assert nothing.status == "na"
    assert nothing.reason == f"N/A: {', '.join(ASPECTS)}"


@pytest.mark.parametrize(
    "reply",
    [
        f"```json\n{quality()}\n```",
        f"Here are my grades: {quality()} I hope this helps {{you}}.",
        quality(helpfulness="4", clarity=5.0),
        json.dumps({"rationale": "", **{name: {"reason": "r", "score": str(n)} for name, n in GRADES.items()}}),
        quality(extra="left out"),
        quality(rationale="two@lines").replace("@", "\n"),
    ],
)
def test_what_is_meant_is_taken(reply: str) -> None:
    assert read_reply(QUALITY, reply).fields == GRADES


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("The answer is quite good, I would say four out of five.", "no JSON object"),
        ("", "no JSON object"),
        (quality()[:40], "cannot be read"),
        ('{"rationale": "half', "cannot be read: Unterminated string starting at: character 15"),
        ('{"rationale": "x", helpfulness: 4}', "in double quotes: character 20"),
        (quality(helpfulness=6), "helpfulness is 6; expected one of 1, 2, 3, 4, 5"),
        (quality(helpfulness=True), "helpfulness is true"),
        (quality(helpfulness=4.5), "helpfulness is 4.5"),
        (quality(rationale=7), "rationale is a number; expected a text"),
        ('{"rationale": "x"}', "the reply has no helpfulness, clarity, factuality, depth, engagement"),
        ('{"a":' * 100_000, ""),
    ],
)
def test_what_cannot_be_read_is_invalid_and_says_why(reply: str, reason: str) -> None:
    reading = read_reply(QUALITY, reply)
    assert (reading.status, reading.fields) == ("invalid", {})
    assert reason in reading.reason
    assert reading.reason


def test_topics_go_back_to_the_response_they_are_of() -> None:
    reply = json.dumps(
        {
            "topics": [
                {"topic": "sleep", "raised_by": "first", "helpfulness": 4},
                {"topic": "work", "raised_by": "second", "helpfulness": "N/A"},
                {"topic": "friends", "raised_by": "both", "helpfulness": 2},
            ]
        }
    )
    straight = read_reply(judge_template("topics"), reply).fields["topics"]
    assert straight == [
        {"topic": "sleep", "in": "a", "helpfulness": 4},
        {"topic": "work", "in": "b", "helpfulness": None},
        {"topic": "friends", "in": "both", "helpfulness": 2},
    ]
    flipped = read_reply(judge_template("topics"), reply, flipped=True).fields["topics"]
    assert [topic["in"] for topic in flipped] == ["b", "a", "both"]
    again = json.dumps({"topics": json.loads(reply)["topics"] * 3})
    repeated = read_reply(judge_template("topics"), again)
    assert (repeated.fields["topics"], repeated.reason) == (straight, "6 named again")
    broken = read_reply(judge_template("topics"), '{"topics": [{"topic": "sleep", "raised_by": "first"}]}')
    assert broken.reason == "topics[0] has no helpfulness"


def test_stance_and_new_information() -> None:
    stance = judge_template("stance")
    assert read_reply(stance, '{"rationale": "r", "stance": "Both"}').fields == {"stance": "both"}
    assert read_reply(stance, '{"rationale": "r", "stance": "maybe"}').status == "invalid"
    new = judge_template("new-information")
    assert read_reply(new, '{"rationale": "r", "score": 2}').fields == {"score": 2}
    assert read_reply(new, '{"rationale": "r", "score": "N/A"}').status == "na"


def test_topics_of_a_set_are_listed_for_each_response() -> None:
    template = judge_template("set-topics")
    reply = json.dumps({"answers": [{"topics": ["Memory ", "memory", "Habit"]}, {"topics": ["habit"]}]})
    reading = read_reply(template, reply, n=2)
    assert (reading.status, reading.fields) == ("valid", {"topics": [["memory", "habit"], ["habit"]]})
    short = read_reply(template, reply, n=3)
    assert (short.status, short.reason) == ("invalid", "topics of 2 answers; expected 3")
    nameless = json.dumps({"answers": [{"topics": [" "]}, {"topics": [" "]}]})
    assert read_reply(template, nameless, n=2).status == "invalid"
