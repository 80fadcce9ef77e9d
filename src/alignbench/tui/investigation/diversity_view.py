"""The second view: every score of one set with its interval, and how far each condition is from the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.content import Content

from alignbench.metrics.statistics import MIN_PROMPTS, PairedDifference
from alignbench.scoring.score_tables import WithinEstimate
from alignbench.tui.investigation.plot import interval_bar
from alignbench.tui.investigation.view_model import WHO, InvestigationViewModel, shown_p
from alignbench.tui.styled import DIM, paragraphs
from alignbench.tui.text import number
from alignbench.tui.widgets.bars import Scale
from alignbench.tui.workbench.metric_rows import MetricRow, rows

FIRST = ("words", "jaccard", "embedding_diversity", "surprisal")  # diversity is read beside length and surprisal
VALUE, DIFFERENCE = 20, 32


def diversity_lines(model: InvestigationViewModel) -> list[Content]:
    """A block a score: first the four that findings speak of, then the same at equal length, then the others."""
    within = model.within
    scored = next(iter(within.values()), {})
    of_set = {row.metric.name: row for row in rows() if not row.cross and row.metric.name in scored}
    lines = []
    for metric in FIRST:
        if metric in of_set:
            lines += block(model, of_set[metric], {name: within[name][metric] for name in model.names})
    openings = model.diversity.openings
    if openings.metric in of_set:
        lines += block(model, of_set[openings.metric], openings.scores, f", openings of {openings.words} words")
    for metric, row in of_set.items():
        if metric not in FIRST:
            lines += block(model, row, {name: within[name][metric] for name in model.names})
    return [*lines, *paragraphs(_notes(model), model.width, style=DIM)]


def _notes(model: InvestigationViewModel) -> Iterator[str]:
    yield "[ ] 95% intervals. ↑ a higher number is more diverse, ↓ a lower one."
    yield "Equal temperatures are not equal entropies: surprisal, the mean bits of a token, stands beside diversity."
    if model.study.report.meta.prompts >= MIN_PROMPTS:
        yield "* the p, corrected (Holm) for the conditions compared, is 0.05 or less."


def block(
    model: InvestigationViewModel, row: MetricRow, scores: Mapping[str, WithinEstimate], more: str = ""
) -> list[Content]:
    """A score of every condition.

    Args:
        model: What the view is drawn from.
        row: The score.
        scores: By condition.
        more: Behind its name.
    """
    against = f"against {model.sign(model.reference)}" if model.reference is not None else ""
    title = f" {row.label}{more} {row.arrow}".rstrip()
    room = max(0, model.width - len(title) - len(against) - 1)
    pad = min(room, WHO + VALUE + _plot_width(model) - len(title))
    lines = [Content.assemble((title, "bold"), " " * max(1, pad), (against, DIM))]
    known = [end for score in scores.values() for end in _ends(row, score)]
    for name, score in scores.items():
        value = row.value(score)
        if value is None:
            room = max(10, model.width - WHO - 4)
            why = paragraphs([f"–  {score.reason or 'no value'}"], room)[0]
            lines.append(Content.assemble(model.who(name), (why.plain, DIM)))
            continue
        interval = row.interval(score)
        around = f" [{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
        bar = interval_bar(value, interval, Scale(min(known), max(known), _plot_width(model)))
        said = f"{row.written(value)}{around}"
        lines.append(
            Content.assemble(model.who(name), f"{said:<{VALUE}}", bar, "  ", difference_words(row, score.difference))
        )
    return [*lines, Content("")]


def _plot_width(model: InvestigationViewModel) -> int:
    return max(8, min(40, model.width - WHO - VALUE - DIFFERENCE))


def _ends(row: MetricRow, score: WithinEstimate) -> Iterator[float]:
    value = row.value(score)
    if value is not None:
        yield from row.interval(score) or (value,)


def difference_words(row: MetricRow, difference: PairedDifference | None) -> str:
    """A condition minus the reference as it is shown, with interval and p; empty where they do not compare."""
    if difference is None or difference.value is None:
        return ""
    sign = -1.0 if row.inverted else 1.0
    digits = 0 if row.metric.name == "words" else 2

    def signed(value: float) -> str:
        return f"{'+' if value * sign >= 0 else ''}{number(value * sign, digits)}"

    text = signed(difference.value)
    if difference.ci is not None:
        low, high = sorted(difference.ci, key=lambda end: end * sign)
        text += f" [{signed(low)}, {signed(high)}]"
    return f"{text} {shown_p(difference)}".rstrip()
