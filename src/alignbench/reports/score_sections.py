"""Scores as tables of texts, without a report around them: of `alignbench score`, and of a run that has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alignbench.metrics.registry import CROSS, METRICS, WITHIN
from alignbench.reports.entropies import branching_section
from alignbench.reports.matched_sections import matched_sections
from alignbench.reports.numbers import counted, number
from alignbench.reports.recovery_text import recovery_remarks, shown_recovery
from alignbench.reports.section import HELD_OUT, Section, metric_digits, shown_number, shown_value
from alignbench.scoring.floor import Floor
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables, WithinEstimate


def score_sections(tables: ScoreTables, reference: str | None, floor: str | None, n_prompts: int) -> Iterator[Section]:
    """Metrics as rows and conditions as columns; then, for each similarity to the reference, conditions as rows."""
    rows = (
        (
            _title(metric),
            *(shown_value(of[metric], metric_digits(metric), of[metric].sd) for of in tables.within.values()),
        )
        for metric in next(iter(tables.within.values()), {})
    )
    over = f"mean over {counted(n_prompts, 'prompt')}"
    yield Section("", (over, *tables.within), tuple(rows))
    yield from matched_sections(tables, reference)
    if (curves := branching_section(tables)).rows:
        yield curves
    for metric in next(iter(tables.cross.values()), {}):
        of = {condition: tables.cross[condition][metric] for condition in tables.within}
        nulls = (shown_number(score.null) for score in of.values() if score.null is not None)
        yield Section(
            "",
            (f"{_title(metric)} to {reference}", "mean", "maximum", "MMD²", "recovery"),
            (
                *(row for condition, score in of.items() for row in _compared(condition, score, reference, floor)),
                ("(answers to other prompts)", next(nulls, "-"), "", "", ""),
            ),
        )


def score_remarks(tables: ScoreTables, reference: str | None, floor: Floor) -> Iterator[str]:
    """What has to be said beside similarities, each thing once."""
    scores = [score for of in tables.cross.values() for score in of.values()]
    compared = (of for name, of in tables.cross.items() if name not in (reference, floor.name))
    yield from recovery_remarks(score for of in compared for score in of.values())
    if any(score.with_source is not None for score in scores):
        yield HELD_OUT
    if scores and floor.name is None:
        yield f"no recovery: {floor.reason}"


def run_sections(tables: ScoreTables, reference: str | None) -> Iterator[Section]:
    """The live scores, without intervals; the ceiling stands under the reference's own name."""
    rows = [
        (
            METRICS[metric].title,
            *(_without_interval(of[metric], metric_digits(metric)) for of in tables.within.values()),
        )
        for metric in WITHIN
    ]
    yield Section("", ("within a condition", *tables.within), tuple(rows))
    if reference is None:
        return
    yield from matched_sections(tables, reference)
    names = (_named(name, [*of.values()], reference) for name, of in tables.cross.items())
    rows = [
        (METRICS[metric].title, *(_without_interval(of[metric], metric_digits(metric)) for of in tables.cross.values()))
        for metric in CROSS
    ]
    for metric in CROSS:
        title, scores = METRICS[metric].title, [of[metric] for of in tables.cross.values()]
        rows += _where_any(
            f"{title}, with source", [None if (whole := score.with_source) is None else whole.value for score in scores]
        )
        rows += _where_any(f"{title}, to the source alone", [score.source for score in scores])
    yield Section("", (f"similarity to {reference}", *names), tuple(rows))


def _named(condition: str, scores: Sequence[CrossEstimate], reference: str) -> str:
    if condition == reference:
        return f"{condition} (ceiling)"
    return f"{condition} (held out)" if any(score.with_source is not None for score in scores) else condition


def _title(metric: str) -> str:
    return METRICS[metric].title if metric in METRICS else metric


def _compared(
    condition: str, score: CrossEstimate, reference: str | None, floor: str | None
) -> Iterator[tuple[str, ...]]:
    """A line, and one below it with what includes the source of the condition's context."""
    role = " (ceiling)" if condition == reference else " (floor)" if condition == floor else ""
    named = [(condition + role, score)]
    if score.with_source is not None:
        named = [(f"{condition}{role}, held out", score), ("  with source", score.with_source)]
    for name, one in named:
        yield (
            name,
            shown_value(one),
            shown_number(one.max_matched),
            shown_number(one.mmd2),
            "" if role or one.value is None or floor is None else shown_recovery(one),
        )


def _without_interval(score: WithinEstimate | CrossEstimate, digits: int) -> str:
    if score.value is None:
        return shown_value(score)
    sd = score.extra.get("sd")
    return number(score.value, digits) + ("" if sd is None else f" ±{number(sd, digits)}")


def _where_any(title: str, values: Sequence[float | None]) -> list[tuple[str, ...]]:
    if all(value is None for value in values):
        return []
    return [(title, *("" if value is None else number(value) for value in values))]
