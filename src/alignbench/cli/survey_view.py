"""What `alignbench survey` prints."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.cli import printing
from alignbench.cli.tables import print_table
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import Interval
from alignbench.surveys.distribution import AnswerDistribution
from alignbench.surveys.summary import Answering, MeanDistance, Steering, SurveySummary

_LONGEST = 24  # characters of an option's text in a table


def print_survey(answers: Sequence[AnswerDistribution], summary: SurveySummary) -> None:
    """The distribution of every question, then what they come to over questions, each beside what chance gives."""
    _print_answers(answers)
    _print_answering(summary.answering)
    _print_distances("Distance to equal shares", "", summary.to_uniform)
    _print_distances("Distance to people", "group", summary.to_groups)
    _print_distances("Distance between conditions", "to", summary.between)
    _print_distances("Log-probs against replies", "to", summary.ways)
    _print_steering(summary.steering)


def _print_answers(answers: Sequence[AnswerDistribution]) -> None:
    print_table(
        ("question", "condition", "by", "answers", "order consistency", "outside", "refusals", "unparsed", "n"),
        [
            (
                each.question.id,
                each.condition,
                each.by,
                _shares(each),
                _number(each.order_consistency),
                _number(each.outside),
                _count(each.refusals),
                _count(each.unparsed),
                _count(each.n),
            )
            for each in answers
        ],
    )


def _print_answering(rows: Sequence[Answering]) -> None:
    printing.show("\nOver questions, with 95% intervals")
    print_table(
        ("condition", "by", "entropy, bits", "order consistency", "by chance", "outside", "refusals", "unparsed", "n"),
        [
            (
                each.condition,
                each.by,
                _mean(each.entropy),
                _mean(each.consistency),
                _number(each.expected_consistency.value),
                "-" if each.outside is None else _mean(each.outside),
                _count(each.refusals),
                _count(each.unparsed),
                _count(each.n),
            )
            for each in rows
        ],
    )


def _print_distances(title: str, other: str, rows: Sequence[MeanDistance]) -> None:
    if not rows:
        return
    printing.show(f"\n{title}")
    print_table(
        ("condition", "by", *([other] if other else []), "TV", "TV by chance", "JSD, bits", "W1", "representativeness",
         "questions"),
        [
            (
                each.condition,
                each.by,
                *([each.other] if other else []),
                _mean(each.distances["tv"]),
                _number(each.floor.value),
                *(_mean(each.distances[name]) for name in ("jsd", "w1", "representativeness")),
                str(each.distances["tv"].n),
            )
            for each in rows
        ],
    )  # fmt: skip


def _print_steering(rows: Sequence[Steering]) -> None:
    if not rows:
        return
    printing.show("\nSteerability: TV to a group with the persona minus without; under 0 is closer with it")
    print_table(
        ("condition", "by", "persona", "group", "difference", "p (Holm)", "questions"),
        [
            (
                each.condition,
                each.by,
                each.persona,
                f"{each.group} (named)" if each.named else each.group,
                _with_interval(each.difference.value, each.difference.ci, signed=True),
                _number(each.difference.p_holm),
                str(each.difference.n),
            )
            for each in rows
        ],
    )


def _shares(answer: AnswerDistribution) -> str:
    if answer.p is None:
        return "-"
    options = answer.options
    texts = (options.texts[place] for place in options.answers)
    return ", ".join(f"{_cut(text)} {share:.2f}" for text, share in zip(texts, answer.p, strict=True))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"


def _mean(estimate: Estimate) -> str:
    return _with_interval(estimate.value, estimate.ci)


def _with_interval(value: float | None, ci: Interval | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    form = "+.3f" if signed else ".3f"
    return f"{value:{form}}" if ci is None else f"{value:{form}} [{ci[0]:{form}}, {ci[1]:{form}}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)
