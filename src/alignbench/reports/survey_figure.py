"""The figure of a survey: how far each condition's answers are from those of people, beside what chance gives."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.reports.figure import Figure, legend
from alignbench.reports.plotting import COLOURS, MARKERS, Axes, called, with_interval
from alignbench.reports.survey_sections import WAYS
from alignbench.surveys.summary import UNIFORM, SurveySummary

GROUPS = 12  # most groups in the figure
_PANELS = {"tv": "total variation (← closer)", "representativeness": "representativeness (→ closer)"}


def survey_figure(summary: SurveySummary | None) -> Figure | None:
    """A row a group, or equal shares of the options where there are no groups; a point a condition, or each way of it
    where answers were read in more than one. None without any distance.

    The first `GROUPS` groups, and as many points as there are colours.
    """
    if summary is None:
        return None
    rows = [row for row in summary.to_groups or summary.to_uniform if row.distances["tv"].value is not None]
    others = [*dict.fromkeys(row.other for row in rows)]
    shown = others[:GROUPS]
    sides = [*dict.fromkeys((row.condition, row.by) for row in rows)][: len(COLOURS)]
    several = len({by for _, by in sides}) > 1
    panels = [name for name in _PANELS if any(row.distances[name].value is not None for row in rows)]
    if not shown:
        return None
    step = 0.72 / len(sides)

    def draw(axes: Sequence[Axes]) -> None:
        for on, distance in zip(axes, panels, strict=True):
            unnamed = {*sides}
            for row in rows:
                mean = row.distances[distance]
                side = row.condition, row.by
                if row.other not in shown or side not in sides or mean.value is None:
                    continue
                i = sides.index(side)
                y = shown.index(row.other) + (i - (len(sides) - 1) / 2) * step
                way = f", {WAYS[row.by]}" if several else ""
                label = called(row.condition) + way if side in unnamed else None
                unnamed.discard(side)
                with_interval(
                    on, mean.value, y, mean.ci, across=True, color=COLOURS[i], marker=MARKERS[i], markersize=5,
                    label=label,
                )  # fmt: skip
                if distance == "tv" and row.floor.value is not None:
                    on.plot([row.floor.value], [y], linestyle="none", marker="|", markersize=9, color="#5d5d5d")
            on.set_title(_PANELS[distance])
            on.set_xlim(-0.02, 1.02)
            on.grid(visible=False, axis="y")
            on.tick_params(axis="y", length=0)
        labels = ["equal shares" if other == UNIFORM and not summary.to_groups else called(other) for other in shown]
        axes[0].set_yticks(range(len(shown)), labels)
        axes[0].set_ylim(len(shown) - 0.5, -0.5)
        legend(axes, 4)

    left_out = "" if len(shown) == len(others) else f" The first {len(shown)} of {len(others)} groups."
    caption = (
        "Mean distance of a condition's answers over questions, with 95% intervals. A grey tick is the total variation "
        "that chance alone gives where both sides answer alike: an interval that holds its tick tells no difference."
        f"{left_out}"
    )
    to = "people" if summary.to_groups else "equal shares"
    height = 1.5 + len(shown) * max(0.3, 0.17 * len(sides))
    return Figure("survey", f"Distance of answers to {to}", caption, draw, len(panels), height, share_y=True)
