"""The figure of ladders of constraints: satisfaction, diversity and length against how many a prompt sets."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.reports.constraint_ladders import SATISFIED, SCORES, ConstraintLadders
from alignbench.reports.figure import Figure, legend
from alignbench.reports.plotting import COLOURS, MARKERS, Axes, called
from alignbench.reports.section import metric_title

_CAPTION = (
    "Along the rungs of ladders: the prompt alone, and with its first constraints. Satisfied is the share of a rung's "
    "constraints that a response keeps to, 1 where there are none; bars are 95% intervals over the prompts that the "
    "ladders are made of."
)

_Line = tuple[list[int], list[float], list[tuple[float, float] | None]]  # k, values, intervals


def constraint_figure(ladders: ConstraintLadders | None) -> Figure | None:
    """Of at most as many conditions as there are colours; None where no line can be drawn."""
    if ladders is None:
        return None
    conditions = [*ladders.conditions][: len(COLOURS)]
    lines = {
        name: {condition: line for condition in conditions if len((line := _line(ladders, condition, name))[0]) > 1}
        for name in (SATISFIED, *SCORES)
    }
    panels = [name for name, of in lines.items() if of]
    if not panels:
        return None

    def draw(axes: Sequence[Axes]) -> None:
        for on, name in zip(axes, panels, strict=True):
            for condition, (xs, ys, intervals) in lines[name].items():
                i = conditions.index(condition)
                on.plot(xs, ys, color=COLOURS[i], marker=MARKERS[i], markersize=4.5, label=called(condition))
                for x, ci in zip(xs, intervals, strict=True):
                    if ci is not None:
                        on.plot([x, x], ci, color=COLOURS[i], linewidth=1.0)
            on.set_title("Satisfied" if name == SATISFIED else metric_title(name).capitalize())
            on.set_xlabel("constraints in the prompt")
            on.set_xticks(sorted({x for xs, _, _ in lines[name].values() for x in xs}))
            if name == SATISFIED:
                on.set_ylim(-0.04, 1.04)
        legend(axes, 4)

    return Figure("constraints", "Ladders of constraints", _CAPTION, draw, len(panels), 3.4)


def _line(ladders: ConstraintLadders, condition: str, name: str) -> _Line:
    there = [
        (rung.k, score.value, score.ci)
        for rung in ladders.conditions[condition]
        if (score := rung.scores.get(name)) is not None and score.value is not None
    ]
    return [k for k, _, _ in there], [value for _, value, _ in there], [ci for _, _, ci in there]
