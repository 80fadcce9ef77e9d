"""The fifth view: how alike the samples of each two columns are, over the prompts of the session."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from textual.content import Content

from alignbench.scoring.condition_matrix import LEAST_RANGE, ConditionMatrix
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel, visible_columns
from alignbench.tui.styled import DIM, SELECTED, faint, heading, hue, notes
from alignbench.tui.text import count, fitted
from alignbench.tui.workbench.metric_rows import MetricRow, rows

CELL = 8  # cells of a number with its shade
SHADES = " ░▒▓█"  # the lowest to the highest fifth, told without colours


def matrix_rows() -> list[MetricRow]:
    """The scores that there is a matrix of: means over pairs of samples, as they come."""
    return [row for row in rows() if row.similarity and row.metric.live]


def matrix_lines(model: ScoresViewModel) -> Drawn:
    """A line and a column for each column of the Bench; on the diagonal it is of different samples of one."""
    row, matrix = model.row, model.matrix
    label = f" {row.title}"
    if matrix is None or matrix.metric != row.metric.name:
        return [heading(label), faint(f" {model.waiting}")], (0, 1)
    if matrix.reason:
        return [heading(label), faint(f" No matrix: {matrix.reason}.")], (0, 1)
    lines = [heading(f"{label}, {count(matrix.prompts, 'prompt')} of this session")]
    room = max(12, model.width // (4 if model.narrow else 3))
    shown = visible_columns(len(model.names), max(1, (model.width - room - 4) // CELL), model.selected, model.reference)
    head = (Content.styled(f"{model.title(at):>{CELL}}", f"bold {hue(at)}") for at in shown)
    lines.append(Content.assemble(" " * (room + 2), *head))
    values, ends = matrix.values(), matrix.colour_ends()
    for at, name in enumerate(model.names):
        chosen = at == model.selected
        who = f" {fitted(f'{model.title(at)} {name}', room + 1)}"
        cells = (_cell(row, float(values[at, other]), ends, other, chosen) for other in shown)
        lines.append(Content.assemble((who, SELECTED if chosen else hue(at)), *cells))
    said = [
        "Mean over all pairs of samples of one prompt; on the diagonal of different samples of one column.",
        f"{_scale(row, ends)} The scale is {LEAST_RANGE:g} wide at least, so that small differences look small.",
        *_selected(model, matrix),
    ]
    if row.metric.lexical:
        said.append("Longer samples share more words by chance.")
    first = 2 + model.selected
    return [*lines, Content(""), *notes(said, model.width)], (0 if first < 6 else first, first + 1)


def _cell(row: MetricRow, value: float, ends: tuple[float, float], other: int, chosen: bool) -> Content:
    """ends: of the scale of shades."""
    if np.isnan(value):
        return Content.styled(f"{'–':>{CELL}}", DIM)
    low, high = ends
    shade = SHADES[min(len(SHADES) - 1, int((value - low) / (high - low) * len(SHADES)))]
    written = f"{row.written(value):>{CELL - 3}}"
    return Content.assemble(" ", (shade * 2, hue(other)), (written, "bold" if chosen else ""))


def _scale(row: MetricRow, ends: tuple[float, float]) -> str:
    """From which value on each shade is."""
    low, high = ends
    steps = (low + at * (high - low) / len(SHADES) for at in range(1, len(SHADES)))
    shades = (f"{shade} from {row.written(value)}" for shade, value in zip(SHADES[1:], steps, strict=True))
    return f"Shades: {', '.join(shades)}."


def _selected(model: ScoresViewModel, matrix: ConditionMatrix) -> Iterator[str]:
    """The numbers of the selected column with their intervals: with itself and with the reference."""
    at, row = model.selected, model.row
    for other in dict.fromkeys((at, at if model.reference is None else model.reference)):
        one = matrix.cells[model.names[at], model.names[other]]
        who = "itself" if other == at else model.title(other)
        if one.value is None:
            yield f"{model.title(at)} with {who}: no value, {one.reason}."
            continue
        around = f" [{row.written(one.ci[0])}, {row.written(one.ci[1])}]" if one.ci is not None else ""
        yield f"{model.title(at)} with {who}: {row.written(one.value)}{around}, {count(one.n, 'prompt')}."
