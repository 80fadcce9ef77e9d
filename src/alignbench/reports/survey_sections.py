"""A survey as tables: the answers to each question, and what they come to over questions beside what chance gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from alignbench.metrics.estimates import Estimate
from alignbench.reports.section import Section, shown_difference, shown_number, shown_value
from alignbench.surveys.distribution import AnswerDistribution, Way
from alignbench.surveys.summary import Answering, MeanDistance, SurveySummary

BY_CHANCE = "TV by chance: its mean if both sides answered alike, of so many replies, and people where that is known."
WAYS: Mapping[Way, str] = {"first_token": "first token", "logprob": "log-probs", "sample": "replies"}
_JUDGED = ("told by letter or words", "by a judge")
_REWORDED = ("paraphrase consistency", "paraphrases by chance")
_LONGEST = 24  # characters of an option's text in a table


def answers_section(answers: Sequence[AnswerDistribution]) -> Section:
    """A row a question, condition and way."""
    judged = _JUDGED if any(each.judged for each in answers) else ()
    worded = _REWORDED[:1] if any(each.paraphrases for each in answers) else ()
    columns = ("question", "condition", "by", "answers", "order consistency", "outside", "refusals", "unparsed", "n",
               *judged, *worded)  # fmt: skip
    rows = (
        (
            each.question.id,
            each.condition,
            each.by,
            _shares(each),
            shown_number(each.order_consistency),
            shown_number(each.outside),
            *map(_count, (each.refusals, each.unparsed, each.n)),
            *(_told(each) if judged else ()),
            *((shown_number(each.paraphrase_consistency),) if worded else ()),
        )
        for each in answers
    )
    return Section("Answers", columns, tuple(rows))


def survey_sections(summary: SurveySummary) -> Iterator[Section]:
    """Those that have rows."""
    yield _answering_section(summary)
    for title, other, rows in (
        ("Distance to equal shares", "", summary.to_uniform),
        ("Distance to people", "group", summary.to_groups),
        ("Distance between conditions", "to", summary.between),
        ("Log-probs against replies", "to", summary.ways),
    ):
        if rows:
            yield _distance_section(title, other, rows)
    if summary.steering:
        yield _steering_section(summary)


def survey_part(summary: SurveySummary) -> Iterator[Section]:
    """The same among other tables of a report."""
    for section in survey_sections(summary):
        yield replace(section, title=f"Survey: {section.title[0].lower()}{section.title[1:]}")


def _answering_section(summary: SurveySummary) -> Section:
    judged = _JUDGED if any(each.judged for each in summary.answering) else ()
    worded = _REWORDED if any(each.rewording for each in summary.answering) else ()
    columns = ("condition", "by", "entropy, bits", "order consistency", "consistency by chance", "outside", "refusals",
               "unparsed", "n", "unanswered", *judged, *worded)  # fmt: skip
    rows = (
        (
            each.condition,
            each.by,
            _mean(each.entropy),
            _mean(each.consistency),
            shown_number(each.expected_consistency.value),
            "-" if each.outside is None else _mean(each.outside),
            *map(_count, (each.refusals, each.unparsed, each.n, each.unanswered)),
            *(_told(each) if judged else ()),
            *(_reworded(each) if worded else ()),
        )
        for each in summary.answering
    )
    notes = (
        "Means over questions with 95% intervals. Refusals and unparsed replies, of n in all, are no part of a "
        "distribution; unanswered: questions without any answer.",
        *(("A question and its paraphrases count as one question: the mean over its wordings.",) if worded else ()),
    )
    return Section("Over questions", columns, tuple(rows), notes)


def _distance_section(title: str, other: str, distances: Sequence[MeanDistance]) -> Section:
    called = (other,) if other else ()
    columns = ("condition", "by", *called, "TV", "TV by chance", "JSD, bits", "W1", "representativeness", "questions")
    rows = (
        (
            each.condition,
            each.by,
            *((each.other,) if other else ()),
            _mean(each.distances["tv"]),
            shown_number(each.floor.value),
            *(_mean(each.distances[name]) for name in ("jsd", "w1", "representativeness")),
            str(each.distances["tv"].n),
        )
        for each in distances
    )
    return Section(title, columns, tuple(rows), (BY_CHANCE,))


def _steering_section(summary: SurveySummary) -> Section:
    columns = ("condition", "by", "persona", "group", "TV with it minus without", "questions")
    rows = (
        (
            each.condition,
            each.by,
            each.persona,
            f"{each.group} (named)" if each.named else each.group,
            shown_difference(each.difference) or "-",
            str(each.difference.n),
        )
        for each in summary.steering
    )
    note = "TV to a group; under 0 the persona brings the answers closer."
    tested = any(each.difference.p is not None for each in summary.steering)
    notes = (f"{note} p is Holm's over all rows." if tested else note,)
    return Section("Steerability", columns, tuple(rows), notes)


def _shares(answer: AnswerDistribution) -> str:
    if answer.p is None:
        return "-"
    options = answer.options
    texts = (options.texts[place] for place in options.answers)
    return ", ".join(f"{_cut(text)} {share:.2f}" for text, share in zip(texts, answer.p, strict=True))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"


def _mean(estimate: Estimate) -> str:
    return "-" if estimate.value is None else shown_value(estimate)


def _told(each: AnswerDistribution | Answering) -> tuple[str, str]:
    """How many replies their letters and words tell, and how many a judge."""
    if each.n is None or each.unparsed is None or each.judged is None:
        return "-", "-"
    return str(each.n - each.unparsed - each.judged), str(each.judged)


def _reworded(each: Answering) -> tuple[str, str]:
    of = each.rewording
    return ("-", "-") if of is None else (_mean(of.consistency), shown_number(of.expected.value))


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)
