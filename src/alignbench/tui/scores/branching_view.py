"""The sixth view: the branching factor along the samples, a curve a column, over the prompts of the session."""

from __future__ import annotations

from itertools import pairwise

from textual.content import Content

from alignbench.metrics.entropy import SPANS, span_title
from alignbench.reports.entropies import FACTOR, branching_curve
from alignbench.scoring.score_tables import WithinEstimate
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel
from alignbench.tui.styled import DIM, faint, heading, hue, notes
from alignbench.tui.text import count, cut, fitted, number
from alignbench.tui.widgets.plot import Axis, Point, plot
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.metric_rows import MetricRow, rows

NAME = 24
STEPS = 6  # dots between two points of a curve


def branching_row() -> MetricRow:
    """The score that the view is of."""
    return next(row for row in rows() if row.metric.name == FACTOR)


def branching_lines(model: ScoresViewModel) -> Drawn:
    """A plot of all curves, then a line of numbers for each column."""
    spread = model.spread
    if spread is None or spread.row != model.row:
        return [heading(" Branching factor"), faint(f" {model.waiting}")], (0, 1)
    scores = {name: spread.tables.within.get(name, {}).get(FACTOR, WithinEstimate()) for name in model.names}
    curves = {name: branching_curve(score.extra) for name, score in scores.items()}
    titles = [title for span in SPANS if any((title := span_title(*span)) in curve for curve in curves.values())]
    lines = [heading(f" Branching factor, {count(len(spread.prompts), 'prompt')} of this session")]
    if titles:
        lines += _plot(model, curves, titles)
    for at, name in enumerate(model.names):
        lines.append(_numbers(model, at, scores[name], curves[name]))
    said = (
        "How many equally likely tokens there are to choose from, by position of the token; later positions are of the "
        "longer samples alone. A token is each model's own.",
    )
    return [*lines, Content(""), *notes(said, model.width)], (0, 1)


def _plot(model: ScoresViewModel, curves: dict[str, dict[str, float]], titles: list[str]) -> list[Content]:
    points: list[Point] = []
    for at, name in enumerate(model.names):
        own = [(titles.index(title), value) for title, value in curves[name].items()]
        points += [Point(x, value, letter(at)) for x, value in own]
        for (x, value), (following, then) in pairwise(own):
            steps = (i / STEPS for i in range(1, STEPS))
            points += [Point(x + s * (following - x), value + s * (then - value), "·", faint=True) for s in steps]
    values = [value for curve in curves.values() for value in curve.values()]
    across = Axis("position of the token", 0.0, max(1.0, len(titles) - 1), (titles[0], titles[-1]))
    return plot(
        points, across, Axis.around("equally likely tokens", values), model.width - 2, 8 if model.narrow else 12
    )


def _numbers(model: ScoresViewModel, at: int, score: WithinEstimate, curve: dict[str, float]) -> Content:
    name = f" {fitted(f'{model.title(at)} {model.names[at]}', NAME - 1)}"
    style = f"{'bold ' if at == model.selected else ''}{hue(at)}"
    if score.value is None:
        return Content.assemble((name, style), (cut(f"–  {score.reason or 'no value'}", model.width - NAME), DIM))
    around = "" if score.ci is None else f" [{number(score.ci[0], 2)}, {number(score.ci[1], 2)}]"
    by_position = "  ".join(f"{title}: {number(value, 2)}" for title, value in curve.items())
    said = fitted(f"{number(score.value, 2)}{around}", 22)
    return Content.assemble((name, style), said, (fitted(by_position, max(10, model.width - NAME - 24)), DIM))
