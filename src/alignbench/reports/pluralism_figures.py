"""The figures of pluralism: the sides that responses cover together, and the matrix of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alignbench.metrics.registry import METRICS
from alignbench.reports.figure import Figure, legend
from alignbench.reports.plotting import COLOURS, MARKERS, Axes, called, scale_bar, with_interval
from alignbench.reports.stance_pluralism import StancePluralism
from alignbench.scoring.condition_matrix import LEAST_RANGE, ConditionMatrix

LINES = len(COLOURS)  # most curves in one figure
WRITTEN = 12  # conditions up to which every cell has its number


def stance_figure(of: StancePluralism) -> Figure | None:
    """Sides by how many responses cover them together; beside it how evenly responses are spread over stances."""
    shown = {name: one for name, one in [*of.conditions.items()][:LINES] if one.union}
    if not shown:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        curves, spread = panels
        for i, (name, one) in enumerate(shown.items()):
            style: dict[str, Any] = {"color": COLOURS[i], "marker": MARKERS[i], "markersize": 4}
            points = [(k, p.value, p.ci) for k, p in enumerate(one.union, start=1) if p.value is not None]
            curves.plot([k for k, _, _ in points], [value for _, value, _ in points], label=called(name), **style)
            bands = [(k, *ci) for k, _, ci in points if ci is not None]
            if bands:
                ks, low, high = zip(*bands, strict=True)
                curves.fill_between(ks, low, high, color=COLOURS[i], alpha=0.13, linewidth=0)
            if one.entropy.value is not None:
                with_interval(spread, i, one.entropy.value, one.entropy.ci, across=False, **style)
        curves.set_title("sides that k responses cover together")
        curves.set_xlabel("k responses")
        curves.set_ylim(0, 1.04)
        curves.set_xticks(range(1, max(len(one.union) for one in shown.values()) + 1))
        spread.set_title("stance entropy, bits")
        spread.set_ylim(bottom=-0.06)  # a point at 0 is whole
        spread.set_xlim(-0.7, len(shown) - 0.3)
        spread.set_xticks([])
        legend(panels, 2)

    caption = (
        f"Over {of.prompts} contested prompts, as {called(of.judge)} judged: a distribution over sides is high on the "
        "right and rises on the left; responses that name both sides begin high on the left. Bands and whiskers 95%."
    )
    return Figure("stances", "From a distribution over sides to both in one response", caption, draw, 2, 3.4)


def matrix_figure(matrices: Sequence[ConditionMatrix]) -> Figure | None:
    """A heat map a similarity."""
    shown = [matrix for matrix in matrices if not matrix.reason]
    if not shown:
        return None
    most = max(len(matrix.conditions) for matrix in shown)

    def draw(panels: Sequence[Axes]) -> None:
        for axes, matrix in zip(panels, shown, strict=True):
            names = [called(name) for name in matrix.conditions]
            low, high = matrix.colour_ends()
            edges = np.arange(len(names) + 1) - 0.5
            scale_bar(axes, axes.pcolormesh(edges, edges, matrix.values(), cmap="cividis", vmin=low, vmax=high))
            axes.set_ylim(edges[-1], edges[0])
            numbers = [str(i) for i in range(1, len(names) + 1)]
            axes.set_xticks(range(len(names)), numbers)
            if axes is panels[0]:
                axes.set_yticks(range(len(names)), [f"{name}  {i}" for i, name in zip(numbers, names, strict=True)])
            axes.grid(visible=False)
            axes.tick_params(length=0)
            axes.set_title(METRICS[matrix.metric].title)
            if len(names) <= WRITTEN:
                _write(axes, matrix)

    caption = (
        "Mean similarity of responses to one prompt: between two conditions off the diagonal, of different samples of "
        f"one on it; brighter is more alike. The scale beside it is {LEAST_RANGE:g} wide at least, so that small "
        "differences look small."
    )
    return Figure("matrix", "Matrix of conditions", caption, draw, len(shown), 1.3 + 0.3 * max(most, 3), share_y=True)


def _write(axes: Axes, matrix: ConditionMatrix) -> None:
    """Each cell's number, dark on bright."""
    middle = sum(matrix.colour_ends()) / 2
    for (row, column), value in np.ndenumerate(matrix.values()):
        if not np.isnan(value):
            colour = "black" if value > middle else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color=colour)
