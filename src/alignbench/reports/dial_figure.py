"""The figure of the dial: what turning the scale of an adapter does, a panel each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.reports.dial import Dial, DialPoint
from alignbench.reports.dial_sections import bits_title
from alignbench.reports.figure import Figure, legend
from alignbench.reports.plotting import COLOURS, MARKERS, Axes, called

_Value = Callable[[DialPoint], Estimate | None]

_MATCHED = "jaccard"  # the score that is drawn as responses come and at common length
_NAMES = {0.0: "base", 1.0: "as tuned"}
_PLAIN = "#5d5d5d"
_ASIDE = 0.008  # of the width: half of how far two points of one scale stand apart


@dataclass(frozen=True, slots=True)
class _Panel:
    """What a panel draws as a solid line, and as a dashed one beside it."""

    title: str
    label: str
    solid: _Value
    dashed: _Value | None = None
    is_share: bool = False
    from_zero: bool = False

    def shows(self, dials: Sequence[Dial]) -> bool:
        """Whether a line can be drawn."""
        return any(len(_points(dial, self.solid)) > 1 for dial in dials)


def dial_figure(dials: Sequence[Dial]) -> Figure | None:
    """Of all dials of a report, at most as many as there are colours; None where there is nothing to draw."""
    drawn = dials[: len(COLOURS)]
    panels = [panel for panel in _panels(drawn) if panel.shows(drawn)] if drawn else []
    if not panels:
        return None

    def draw(axes: Sequence[Axes]) -> None:
        for on, panel in zip(axes, panels, strict=True):
            _draw(on, panel, drawn)
        if any(panel.dashed is not None for panel in panels):
            for style, inside, label in (
                ("-", _PLAIN, "similarity, all cut to common lengths"),
                ("--", "white", "similarity, as they come"),
            ):
                axes[0].plot(
                    [], [], style, color=_PLAIN, marker="o", markersize=4.5, markerfacecolor=inside, label=label
                )
        legend(axes, 4)

    return Figure("dial", "The dial: along the scale of an adapter", _caption(drawn, panels), draw, len(panels), 3.4)


def _panels(dials: Sequence[Dial]) -> list[_Panel]:
    title = bits_title(dials, called(dials[0].base or "the base"))
    similarity = METRICS[_MATCHED].title.capitalize()
    return [
        _Panel(title[0].upper() + title[1:], "bits a byte", lambda point: point.bits.estimate, from_zero=True),
        _Panel(
            f"{similarity} (↓ more diverse)",
            "",
            lambda point: point.matched[_MATCHED].estimate if _MATCHED in point.matched else None,
            lambda point: point.diversity.get(_MATCHED),
        ),
        _Panel("Responses that end by themselves", "", lambda point: point.ended, is_share=True),
        _Panel("Judged quality", "1 to 5", lambda point: point.quality),
    ]


def _draw(axes: Axes, panel: _Panel, dials: Sequence[Dial]) -> None:
    scales = sorted({point.scale for dial in dials for point in dial.points})
    lines = [(i, dial, value) for value in (panel.dashed, panel.solid) if value for i, dial in enumerate(dials)]
    for at, (i, dial, value) in enumerate(lines):
        aside = _ASIDE * (scales[-1] - scales[0]) * (2 * at - len(lines) + 1)
        dashed = value is panel.dashed
        _line(axes, i, _points(dial, value), aside, dashed=dashed, label=None if dashed else called(dial.name))
    axes.set_title(panel.title)
    axes.set_ylabel(panel.label)
    axes.set_xlabel("scale of the adapter")
    axes.set_xticks(scales, [f"{scale:g}\n{_NAMES.get(scale, '')}" for scale in scales])
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.06)
    if panel.is_share:
        shares = (0.0, 0.25, 0.5, 0.75, 1.0)
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks(shares, [f"{share:.0%}" for share in shares])
    elif panel.dashed is not None:
        axes.set_ylim(bottom=0.0)
    elif panel.from_zero:
        axes.axhline(0.0, color="#767676", linewidth=0.8, zorder=1)


def _line(
    axes: Axes,
    i: int,
    points: Sequence[tuple[float, float, Estimate]],
    aside: float,
    *,
    dashed: bool = False,
    label: str | None = None,
) -> None:
    """The line of the i-th dial, with the interval of each point."""
    xs, ys = [x + aside for x, _, _ in points], [y for _, y, _ in points]
    axes.plot(
        xs,
        ys,
        "--" if dashed else "-",
        color=COLOURS[i],
        marker=MARKERS[i],
        markersize=4.5,
        markerfacecolor="white" if dashed else COLOURS[i],
        linewidth=1.2 if dashed else 1.8,
        label=label,
        zorder=3,
    )
    for x, (_, _, estimate) in zip(xs, points, strict=True):
        if estimate.ci is not None:
            axes.plot([x, x], estimate.ci, color=COLOURS[i], linewidth=1.0, solid_capstyle="butt", zorder=2)


def _points(dial: Dial, value: _Value) -> list[tuple[float, float, Estimate]]:
    """Scale, value and the estimate that it is of, where there is one."""
    estimates = ((point.scale, value(point)) for point in dial.points)
    return [
        (scale, estimate.value, estimate)
        for scale, estimate in estimates
        if estimate is not None and estimate.value is not None
    ]


def _caption(dials: Sequence[Dial], panels: Sequence[_Panel]) -> str:
    said = [
        "Scale 0 is the base model in the adapter's layout, 1 the model as it was tuned; bars are 95% intervals over "
        "prompts."
    ]
    if panels[0].from_zero:
        said.append(
            "Bits: what a byte of a scale's own responses, and their ends, costs more under the base model without a "
            "context than under the scale itself."
        )
        said += [f"A difference of cross-entropies, no KL divergence, since {why}." for why in _no_kl(dials)]
    if any(panel.dashed is not None for panel in panels):
        said.append(
            "Similarity: solid, over responses that are all cut to the lengths that the scales have in common; dashed, "
            "as they come, where longer ones share more words by chance."
        )
    return " ".join(said)


def _no_kl(dials: Sequence[Dial]) -> list[str]:
    points = chain.from_iterable(dial.points for dial in dials)
    return [*dict.fromkeys(point.bits.no_kl for point in points if point.bits.no_kl)]
