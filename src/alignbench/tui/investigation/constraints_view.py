"""The seventh view: what a condition still writes, and keeps to, as a prompt sets more constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.constraint_ladders import SATISFIED, ConstraintLadders, RungScores
from alignbench.tui.investigation.view_model import InvestigationViewModel, shown_p, shown_percent
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import number, printable
from alignbench.tui.widgets.plot import Axis, Point, plot
from alignbench.tui.workbench.metric_rows import MetricRow, rows

NO_LADDERS = (
    "No prompt of this session is part of a ladder: F2 on the Bench has stories, 8 prompts with their first 0, 1, 3, 6 "
    "and 12 constraints each."
)
NOT_JUDGED = (
    "Nobody has judged which constraints responses keep to: J has a model do it, as alignbench judge "
    "SESSION --kind constraints does."
)
STEPS = 12  # dots between two points of a curve
PLOT_HEIGHT = 8
WIDEST = 90
RUNG, SHARE, SCORE, WORDS, PLAIN_WORDS = 7, 18, 21, 20, 8  # cells of the columns of the table
DIVERSITY = ("embedding_diversity", "jaccard")  # the first that there is has a curve
ABOUT = (
    "k: how many constraints a prompt sets; satisfied: the share of them that a response keeps to, 100% where there "
    "are none. Means over the prompts that ladders are made of. Longer responses share more words by chance."
)

_Value = Callable[[RungScores], float | None]


def constraint_lines(model: InvestigationViewModel) -> list[Content]:
    """A table, a block a condition with a line for each k; then curves of the share that is satisfied and of
    diversity."""
    ladders = model.study.report.constraints
    if ladders is None or not ladders.conditions:
        return [heading(" Ladders of constraints"), *paragraphs([NO_LADDERS], model.width)]
    scored = {name for rungs in ladders.conditions.values() for rung in rungs for name in rung.scores}
    metrics = {row.metric.name: row for row in rows() if not row.cross and row.metric.name in scored}
    lines = [heading(" Ladders of constraints"), _head(model, metrics)]
    for name, rungs in ladders.conditions.items():
        lines.append(model.who(name))
        lines += [_rung(model, ladders, rung, metrics) for rung in rungs]
    said = [f"As {printable(ladders.judge)} judged; no better than that judge." if ladders.judge else NOT_JUDGED, ABOUT]
    return [*lines, Content(""), *paragraphs(said, model.width, style=DIM), Content(""), *_curves(model, metrics)]


def _head(model: InvestigationViewModel, metrics: Mapping[str, MetricRow]) -> Content:
    titles = "".join(f"{f'{row.label} {row.arrow}'.rstrip():<{_cells(model, name)}}" for name, row in metrics.items())
    against = "" if model.narrow or model.reference is None else f"satisfied, against {model.sign(model.reference)}"
    return Content.styled(f"{'k':>{RUNG - 2}}  {'satisfied':<{SHARE}}{titles}{against}".rstrip(), DIM)


def _rung(
    model: InvestigationViewModel, ladders: ConstraintLadders, rung: RungScores, metrics: Mapping[str, MetricRow]
) -> Content:
    share = rung.scores[SATISFIED]
    share = share if rung.k else replace(share, ci=None)  # of nothing to keep to
    parts = [f"{rung.k:>{RUNG - 2}}  ", f"{shown_percent(share):<{SHARE}}"]
    for name, row in metrics.items():
        score = rung.scores.get(name, Estimate())
        interval = row.interval(score) if name != "words" or not model.narrow else None
        around = f" [{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
        parts.append(f"{row.written(row.value(score)) + around:<{_cells(model, name)}}")
    difference = rung.differences.get(SATISFIED)
    if not model.narrow and ladders.judge and difference is not None and difference.value is not None:
        ends = difference.ci
        around = f" [{number(ends[0], sign=True)}, {number(ends[1], sign=True)}]" if ends is not None else ""
        parts.append(f"{number(difference.value, sign=True)}{around} {shown_p(difference)}")
    return Content("".join(parts).rstrip())


def _cells(model: InvestigationViewModel, metric: str) -> int:
    if metric == "words":
        return PLAIN_WORDS if model.narrow else WORDS
    return SCORE


def _curves(model: InvestigationViewModel, metrics: Mapping[str, MetricRow]) -> Iterator[Content]:
    """Satisfaction where somebody judged, from 0 to 1, then diversity."""
    ladders = model.study.report.constraints
    if ladders is not None and ladders.judge:
        yield from _plot(model, "share of the constraints that responses keep to", _satisfied, whole=True)
    diversity = next((metrics[name] for name in DIVERSITY if _is_known(ladders, name)), None)
    if diversity is not None:
        name = diversity.metric.name
        yield from _plot(model, f"{diversity.label} {diversity.arrow}", lambda rung: diversity.value(rung.scores[name]))


def _is_known(ladders: ConstraintLadders | None, metric: str) -> bool:
    rungs = [] if ladders is None else [rung for of in ladders.conditions.values() for rung in of]
    return any(metric in rung.scores and rung.scores[metric].value is not None for rung in rungs)


def _satisfied(rung: RungScores) -> float | None:
    return rung.scores[SATISFIED].value


def _plot(model: InvestigationViewModel, title: str, value: _Value, *, whole: bool = False) -> Iterator[Content]:
    """A curve a condition over k, by its letter; none where there is one k alone."""
    ladders = model.study.report.constraints
    assert ladders is not None
    curves = {name: _known(rungs, value) for name, rungs in ladders.conditions.items()}
    ks = sorted({k for curve in curves.values() for k, _ in curve})
    if len(ks) < 2:
        return
    points: list[Point] = []
    for name, curve in curves.items():
        points += [Point(k, y, model.sign(name)) for k, y in curve]
        for (k, y), (after, then) in pairwise(curve):
            steps = (i / STEPS for i in range(1, STEPS))
            points += [Point(k + (after - k) * s, y + (then - y) * s, "·", faint=True) for s in steps]
    values = [y for curve in curves.values() for _, y in curve]
    down = Axis(title, 0.0, 1.0) if whole else Axis.around(title, values)
    across = Axis("constraints in the prompt", ks[0], ks[-1])
    yield from plot(points, across, down, min(WIDEST, model.width), PLOT_HEIGHT)
    yield Content("")


def _known(rungs: Sequence[RungScores], value: _Value) -> list[tuple[int, float]]:
    return [(rung.k, known) for rung in rungs if (known := value(rung)) is not None]
