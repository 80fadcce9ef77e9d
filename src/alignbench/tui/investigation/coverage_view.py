"""The fourth view: how much of a response others say together, as curves over how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from textual.content import Content

from alignbench.reports.findings import FEW
from alignbench.tui.investigation.plot import Axis, Point, plot
from alignbench.tui.investigation.view_model import Entry, InvestigationViewModel, paragraphs
from alignbench.tui.scores.view_model import heading
from alignbench.tui.text import number, printable
from alignbench.tui.widgets.bars import DIM

STEPS = 28  # dots between two points of a curve, and one


def coverage_lines(page: InvestigationViewModel) -> list[Content]:
    """What a condition's responses say together of one of the reference's, and these of one of the condition's."""
    coverage = page.found["coverage"]
    if coverage["reason"]:
        why = "No column is the reference: * on the Bench marks one." if page.reference is None else coverage["reason"]
        return [heading(" Coverage"), *paragraphs([printable(why)], page.width)]
    reference = page.sign(page.reference or "")
    ways = (
        ("of_reference", f"share of a response of {reference} that k responses say together"),
        ("by_reference", f"share of a response that k responses of {reference} say together"),
    )
    lines = []
    for way, title in ways:
        lines += [*_curves(page, way, title), *_numbers(page, way), Content("")]
    return [*lines, *paragraphs(_notes(page), page.width, style=DIM)]


def _curves(page: InvestigationViewModel, way: str, title: str) -> list[Content]:
    conditions = page.found["coverage"]["conditions"]
    points = []
    for name, entry in conditions.items():
        curve = [(point["k"], point["value"]) for point in entry[way] if point["value"] is not None]
        points += [Point(k, value, page.sign(name)) for k, value in curve]
        for (k, value), (after, then) in pairwise(curve):
            shares = [i / STEPS for i in range(1, STEPS)]
            points += [Point(k + (after - k) * s, value + (then - value) * s, "·", faint=True) for s in shares]
    longest = max((len(entry[way]) for entry in conditions.values()), default=1)
    width = min(page.width, 8 + 14 * longest)
    return plot(points, Axis("k", 1, max(2, longest)), Axis(title, 0.0, 1.0), width) if points else [heading(title)]


def _numbers(page: InvestigationViewModel, way: str) -> Iterator[Content]:
    for name, entry in page.found["coverage"]["conditions"].items():
        curve = entry[way]
        if not curve:
            yield Content.assemble(page.who(name), ("–  no prompt has both", DIM))
            continue
        parts = [f"k = {point['k']}: {_said(point)}" for point in (curve[0], *curve[-1:][: len(curve) - 1])]
        equal = entry["equal_count"][way]
        beside = f"   with equally many sentences, k = 1: {_said(equal)}"
        yield Content.assemble(page.who(name), "   ".join(parts), *([] if page.narrow else [(beside, DIM)]))
        if page.narrow:
            yield Content.styled(f"    {beside}", DIM)
        if way == "of_reference":
            covered = f"one response of {page.sign(page.reference or '')} covers {_said(entry['responses_covered'])}"
            yield Content.styled(f"       {covered} of its {entry['n']}", DIM)


def _said(entry: Entry) -> str:
    if entry["value"] is None:
        return "–"
    around = "" if entry["ci"] is None else f" [{number(entry['ci'][0])}, {number(entry['ci'][1])}]"
    return f"{number(entry['value'])}{around}"


def _notes(page: InvestigationViewModel) -> Iterator[str]:
    coverage = page.found["coverage"]
    chance = coverage["false_matches"]
    against = "" if chance is None else f"; {chance:.1%} of sentences find one in an answer to another prompt"
    yield f"A sentence is said from a best match of cosine {coverage['threshold']:.3f} on{against}."
    yield f"A response is covered where {coverage['share']:.0%} of its sentences or more are said."
    sizes = [entry["n"] for entry in coverage["conditions"].values() if entry["of_reference"]]
    if sizes and min(sizes) < FEW:
        yield f"Coverage over fewer than {FEW} responses a prompt carries no claim."
