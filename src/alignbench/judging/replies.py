"""From what a judge wrote to the fields of a judgment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alignbench.answer_options import LETTERS
from alignbench.json_reply import conforming
from alignbench.json_schema import NOT_APPLICABLE
from alignbench.judging.rubrics import rubric_values
from alignbench.judging.templates import JudgeTemplate
from alignbench.store import JudgmentStatus

ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """What a reply comes to; see store.Judgment for the three."""

    status: JudgmentStatus
    fields: dict[str, Any]
    reason: str = ""


def read_reply(
    template: JudgeTemplate, reply: str, *, flipped: bool = False, n: int = 0, options: Sequence[str] = ()
) -> ParsedReply:
    """Read a judge's reply; never fails, since what cannot be read is invalid, with the reason.

    Thoughts and text around the JSON object are passed over (see json_reply). Fields by kind: quality has its five
    aspects, new-information `score`, stance `stance`, equivalence `same`, true or false; topics has `topics`, each with
    `topic`, `in` (a: the reference, b: the judged response, both) and `helpfulness`; set-topics has `topics`, a list of
    names for each response; constraints has `satisfied`, true or false of each constraint; option has `option`, the
    text of the one that is chosen or None, and `refusal`, whether the reply declines. "N/A" becomes None, and the
    status is na where nothing else is left.

    Args:
        template: of what was asked
        reply: as the judge wrote it
        flipped: of a pair, the judged response was shown first
        n: of a set, how many responses were shown; else how many constraints
        options: of a survey question, in the order of their letters
    """
    try:
        value = conforming(reply, template.schema_object())
    except ValueError as error:
        return ParsedReply("invalid", {}, str(error))
    if template.of:
        return _of_rubric(rubric_values(template, value, flipped=flipped))
    if template.kind == "equivalence":
        return ParsedReply("valid", {"same": value["answer"] == "same"})
    if template.kind == "constraints":
        satisfied = [answer["satisfied"] == "yes" for answer in value["answers"]]
        if len(satisfied) != n:
            return ParsedReply("invalid", {}, f"answers on {len(satisfied)} constraints; expected {n}")
        return ParsedReply("valid", {"satisfied": satisfied})
    if template.kind == "option":
        return _chosen(value["choice"], options)
    if template.kind == "topics":
        return _topics([_topic(topic, flipped) for topic in value["topics"]])
    if template.kind == "set-topics":
        return _topics_of_set([answer["topics"] for answer in value["answers"]], n)
    names = {"quality": ASPECTS, "stance": ("stance",), "new-information": ("score",)}[template.kind]
    fields = {name: _number_or_word(value[name]) for name in names}
    missing = [name for name, field in fields.items() if field is None]
    reason = f"{NOT_APPLICABLE}: {', '.join(missing)}" if missing else ""
    return ParsedReply("na" if len(missing) == len(names) else "valid", fields, reason)


def _of_rubric(fields: dict[str, Any]) -> ParsedReply:
    """Of a template of one's own: "N/A" is no value, of whatever field."""
    fields = {name: _number_or_word(value) for name, value in fields.items()}
    missing = [name for name, value in fields.items() if value is None]
    reason = f"{NOT_APPLICABLE}: {', '.join(missing)}" if missing else ""
    return ParsedReply("valid" if len(missing) < len(fields) else "na", fields, reason)


def _chosen(choice: str, options: Sequence[str]) -> ParsedReply:
    if choice == "none":
        return ParsedReply("na", {}, "the reply chooses none of the options")
    if choice == "refusal":
        return ParsedReply("valid", {"option": None, "refusal": True})
    place = LETTERS.index(choice)
    if place >= len(options):
        return ParsedReply("invalid", {}, f"chooses {choice} of {len(options)} options")
    return ParsedReply("valid", {"option": options[place], "refusal": False})


def _topics(topics: Sequence[dict[str, Any]]) -> ParsedReply:
    """Topics without those that are named again: a weak judge repeats itself, and they are counted."""
    named: dict[tuple[str, str], dict[str, Any]] = {}
    for topic in topics:
        named.setdefault((topic["topic"].strip().casefold(), topic["in"]), topic)
    repeated = len(topics) - len(named)
    return ParsedReply("valid", {"topics": [*named.values()]}, f"{repeated} named again" if repeated else "")


def _topics_of_set(answers: Sequence[Sequence[str]], n: int) -> ParsedReply:
    """Topics by response; names are compared without case and outer white space."""
    if len(answers) != n:
        return ParsedReply("invalid", {}, f"topics of {len(answers)} answers; expected {n}")
    named = [[*dict.fromkeys(topic.strip().casefold() for topic in topics if topic.strip())] for topics in answers]
    if not any(named):
        return ParsedReply("invalid", {}, "no topic has a name")
    return ParsedReply("valid", {"topics": named})


def _topic(topic: dict[str, Any], flipped: bool) -> dict[str, Any]:
    first, second = ("b", "a") if flipped else ("a", "b")
    return {
        "topic": topic["topic"],
        "in": {"first": first, "second": second, "both": "both"}[topic["raised_by"]],
        "helpfulness": _number_or_word(topic["helpfulness"]),
    }


def _number_or_word(value: Any) -> Any:
    return None if value == NOT_APPLICABLE else value
