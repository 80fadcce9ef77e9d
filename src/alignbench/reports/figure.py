"""A figure of a report as a value, and the legend that figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.reports.plotting import Axes, DrawAxes, png, svg


@dataclass(frozen=True, slots=True)
class Figure:
    """name: of its files. caption: how to read it. height: inches."""

    name: str
    title: str
    caption: str
    draw: DrawAxes
    panels: int
    height: float
    share_y: bool = False

    def svg(self) -> str:
        """An `<svg>` element whose ids no other figure has."""
        return svg(self.draw, panels=self.panels, height=self.height, share_y=self.share_y, prefix=f"{self.name}-")

    def png(self) -> bytes:
        """A PNG file."""
        return png(self.draw, panels=self.panels, height=self.height, share_y=self.share_y)


def legend(panels: Sequence[Axes], columns: int) -> None:
    """One for all panels, below them."""
    handles, labels = panels[0].get_legend_handles_labels()
    figure = panels[0].get_figure(root=True)
    if labels and figure is not None:
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8)
