"""How figures are drawn and kept: the only module that imports matplotlib.

One look for page and paper: no colour says what a marker or a label does not say too, and the colours are those that
colour-blind readers can tell apart (Okabe and Ito 2008). Text is drawn as paths, so a figure looks the same everywhere.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from alignbench.display import escaped
from alignbench.extras import needed
from alignbench.metrics.intervals import Interval

with needed("Figures need", "report"):
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter, StrMethodFormatter

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5d5d5d", "#8c6d1f")
MARKERS = "os^Dvphx"
LONGEST = 34  # characters of a name

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#767676",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "alignbench",  # the same figure is the same file
    "text.parse_math": False,  # a dollar sign in a name is one
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_ID = re.compile(r'(\bid="|href="#|url\(#)')

DrawAxes = Callable[[Sequence[Axes]], None]

__all__ = ["COLOURS", "MARKERS", "Axes", "DrawAxes", "called", "log_scale", "png", "scale_bar", "svg", "with_interval"]


def called(name: str) -> str:
    """A name as figures show it: visible, on one line, and not longer than there is room."""
    flat = " ".join(escaped(name).split())
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"


def with_interval(axes: Axes, x: float, y: float, ci: Interval | None, *, across: bool, **style: Any) -> None:
    """A point with the whisker of its interval, where it has one. across: the interval lies along x."""
    axes.plot([x], [y], linestyle="none", **style)
    if ci is not None:
        low, high = ci
        line = ([low, high], [y, y]) if across else ([x, x], [low, high])
        axes.plot(*line, color=style.get("color"), linewidth=1.2, solid_capstyle="butt", zorder=style.get("zorder", 2))


def log_scale(axes: Axes) -> None:
    """A y axis of logarithms, with plain numbers beside it: powers would be written as markup."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1.5, 0.5)))


def scale_bar(axes: Axes, of: ScalarMappable) -> None:
    """Which value each colour of a heat map is, beside it; of shapes, as a page of a report shows no images."""
    figure = axes.get_figure(root=True)
    if figure is not None:
        bar = figure.colorbar(of, ax=axes, pad=0.02)
        bar.outline.set_visible(False)
        if bar.solids is not None:
            bar.solids.set(rasterized=False, edgecolor="face")
        bar.ax.locator_params(nbins=5)
        bar.ax.tick_params(labelsize=7.5)
        bar.ax.grid(visible=False)


def svg(draw: DrawAxes, *, panels: int, height: float, share_y: bool = False, prefix: str = "") -> str:
    """The figure as an `<svg>` element, without the XML declaration. prefix: before its ids, where a page holds more
    figures than one."""
    text = _saved(draw, panels, height, share_y, format="svg", metadata=_NO_METADATA).decode()
    return _ID.sub(lambda match: f"{match[1]}{prefix}", text[text.index("<svg") :]) if prefix else text


def png(draw: DrawAxes, *, panels: int, height: float, share_y: bool = False) -> bytes:
    """The figure as a PNG file of 200 dots an inch."""
    return _saved(draw, panels, height, share_y, format="png", dpi=200)


def _saved(draw: DrawAxes, panels: int, height: float, share_y: bool, **options: Any) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a letter that the font lacks is drawn as a box
        figure = Figure(figsize=(max(7.2, 2.6 + 2.2 * panels), height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(list(figure.subplots(1, panels, squeeze=False, sharey=share_y)[0]))
        figure.savefig(out, bbox_inches="tight", **options)
    return out.getvalue()
