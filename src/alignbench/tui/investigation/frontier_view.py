"""The fifth view: diversity against quality, and against similarity to the reference, over a ladder of temperatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.frontier import FrontierPoint
from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import fitted, number
from alignbench.tui.widgets.plot import Axis, Point, plot
from alignbench.tui.workbench.column import letter

NOTHING_YET = (
    "No condition has both this and diversity: F5 on the Bench draws the samples that diversity needs, J has their "
    "quality judged."
)
WIDEST = 90


def frontier_lines(model: InvestigationViewModel) -> list[Content]:
    """A plot a pair of scores: the letter is the condition, the digit behind it the place of its temperature."""
    frontier = model.study.frontier
    if frontier is None or not frontier.points:
        return [
            heading(" No two conditions differ in their temperature alone"),
            *paragraphs(
                ["t samples the columns at several temperatures, on all prompts of this session."], model.width
            ),
        ]
    groups = _letters(model, frontier.points)
    diversity = _first({_key(point): point.diversity for point in frontier.points}, ("embedding_diversity", "jaccard"))
    lines = []
    for title, value in _measures(model, frontier.points):
        lines += [*_plot(model, groups, diversity, title, value), Content("")]
    return [*lines, *_legend(model, groups), Content(""), *_table(model, groups)]


_Key = tuple[str, float]  # group and temperature
_Values = Mapping[_Key, float]


def _letters(model: InvestigationViewModel, points: Sequence[FrontierPoint]) -> dict[str, str]:
    """Of each group the letter of the column that is in it; others get the letters after those."""
    signs: dict[str, str] = {}
    for point in points:
        if point.condition in model.columns:
            signs.setdefault(point.group, letter(model.columns.index(point.condition)))
    others = [group for group in dict.fromkeys(point.group for point in points) if group not in signs]
    return signs | {group: letter(len(model.columns) + i) for i, group in enumerate(others)}


def _first(scores: Mapping[_Key, Mapping[str, Estimate]], metrics: Sequence[str]) -> tuple[str, _Values]:
    """The first of these scores that any point has: its name, and its values as they are shown."""
    for metric in metrics:
        values = {key: value for key, of in scores.items() if metric in of and (value := of[metric].value) is not None}
        if values:
            return metric, values
    return metrics[0], {}


def _key(point: FrontierPoint) -> _Key:
    return point.group, point.temperature


def _measures(model: InvestigationViewModel, points: Sequence[FrontierPoint]) -> Iterator[tuple[str, _Values]]:
    graded = {_key(point): value for point in points if (value := point.quality.value) is not None}
    if graded:
        yield "judged quality, 1 to 5", graded
    metric, similar = _first({_key(point): point.similarity for point in points}, ("embedding_similarity", "jaccard"))
    if similar:
        what = {"embedding_similarity": "cosine", "jaccard": "Jaccard"}[metric]
        yield f"similarity to {model.sign(model.reference or '')}, {what}", similar


def _plot(
    model: InvestigationViewModel,
    groups: Mapping[str, str],
    diversity: tuple[str, _Values],
    title: str,
    values: _Values,
) -> list[Content]:
    metric, spread = diversity
    lexical = metric == "jaccard"
    temperatures = model.study.subject.temperatures
    points = [
        Point(1 - spread[key] if lexical else spread[key], value, f"{groups[key[0]]}{temperatures.index(key[1]) + 1}")
        for key, value in values.items()
        if key in spread
    ]
    if not points:
        return [heading(f" {title}"), *paragraphs([NOTHING_YET], model.width)]
    x = Axis.around(f"{'lexical' if lexical else 'embedding'} diversity →", [point.x for point in points])
    y = Axis.around(f"{title} ↑", [point.y for point in points])
    return plot(points, x, y, min(WIDEST, model.width))


def _legend(model: InvestigationViewModel, groups: Mapping[str, str]) -> list[Content]:
    rungs = "   ".join(f"{i} T {t:g}" for i, t in enumerate(model.study.subject.temperatures, start=1))
    names = [f"{sign} {fitted(group, 30).rstrip()}" for group, sign in groups.items()]
    return paragraphs([f"{'   '.join(names)}      {rungs}"], model.width)


def _table(model: InvestigationViewModel, groups: Mapping[str, str]) -> Iterator[Content]:
    """Every point with its intervals, and what is missing."""
    frontier = model.study.frontier
    assert frontier is not None
    heads = ("T", "surprisal", "lexical", "embedding", "quality", "similarity")
    yield Content.styled("    " + "".join(f"{head:>{_room(model)}}" for head in heads), DIM)
    temperatures = model.study.subject.temperatures
    for point in frontier.points:
        similarity = point.similarity.get("embedding_similarity")
        cells = (
            f"{point.temperature:g}",
            _said(point.surprisal),
            _said(point.diversity.get("jaccard"), inverted=True),
            _said(point.diversity.get("embedding_diversity")),
            _said(point.quality),
            _said(similarity if similarity and similarity.value is not None else point.similarity.get("jaccard")),
        )
        sign = f"{groups[point.group]}{temperatures.index(point.temperature) + 1}"
        yield Content.assemble((f" {sign:<3}", "bold"), "".join(f"{cell:>{_room(model)}}" for cell in cells))
    yield Content.styled("    lexical, embedding: diversity by words and by meaning; surprisal in bits a token", DIM)
    missing = [f"{groups.get(m.group, m.group)} at {m.temperature:g}" for m in frontier.missing]
    if missing:
        yield from paragraphs([f"Missing: {', '.join(missing)}. t samples them."], model.width, style=DIM)


def _room(model: InvestigationViewModel) -> int:
    return max(11, min(18, (model.width - 5) // 6))


def _said(estimate: Estimate | None, inverted: bool = False) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    return number(1 - estimate.value if inverted else estimate.value)
