"""The fourth view: how much of a response others say together, as curves over how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.findings import FEW
from alignbench.tui.investigation.plot import Axis, Point, plot
from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import number, printable

STEPS = 28  # dots between two points of a curve, and one

_Curves = Mapping[str, Sequence[Estimate]]  # by condition, for k = 1, 2, ...


def coverage_lines(model: InvestigationViewModel) -> list[Content]:
    """What a condition's responses say together of one of the reference's, and these of one of the condition's."""
    coverage = model.diversity.coverage
    if coverage.reason:
        why = "No column is the reference: * on the Bench marks one." if model.reference is None else coverage.reason
        return [heading(" Coverage"), *paragraphs([printable(why)], model.width)]
    reference = model.sign(model.reference or "")
    conditions = coverage.conditions
    of_reference = {name: covered.of_reference for name, covered in conditions.items()}
    by_reference = {name: covered.by_reference for name, covered in conditions.items()}
    lines = [
        *_curves(model, of_reference, f"share of a response of {reference} that k responses say together"),
        *_numbers(
            model, of_reference, {name: covered.equal_of_reference for name, covered in conditions.items()}, True
        ),
        Content(""),
        *_curves(model, by_reference, f"share of a response that k responses of {reference} say together"),
        *_numbers(model, by_reference, {name: covered.equal_by_reference for name, covered in conditions.items()}),
        Content(""),
    ]
    return [*lines, *paragraphs(_notes(model), model.width, style=DIM)]


def _curves(model: InvestigationViewModel, curves: _Curves, title: str) -> list[Content]:
    points = []
    for name, shares in curves.items():
        curve = [(k, share.value) for k, share in enumerate(shares, start=1) if share.value is not None]
        points += [Point(k, value, model.sign(name)) for k, value in curve]
        for (k, value), (after, then) in pairwise(curve):
            steps = [i / STEPS for i in range(1, STEPS)]
            points += [Point(k + (after - k) * s, value + (then - value) * s, "·", faint=True) for s in steps]
    longest = max(map(len, curves.values()), default=1)
    width = min(model.width, 8 + 14 * longest)
    return plot(points, Axis("k", 1, max(2, longest)), Axis(title, 0.0, 1.0), width) if points else [heading(title)]


def _numbers(
    model: InvestigationViewModel, curves: _Curves, equal: Mapping[str, Estimate], covered: bool = False
) -> Iterator[Content]:
    """covered: how many of a condition's responses one of the reference covers, too."""
    for name, curve in curves.items():
        if not curve:
            yield Content.assemble(model.who(name), ("–  no prompt has both", DIM))
            continue
        parts = [f"k = {k}: {_said(curve[k - 1])}" for k in sorted({1, len(curve)})]
        beside = f"   with equally many sentences, k = 1: {_said(equal[name])}"
        yield Content.assemble(model.who(name), "   ".join(parts), *([] if model.narrow else [(beside, DIM)]))
        if model.narrow:
            yield Content.styled(f"    {beside}", DIM)
        if covered:
            of = model.diversity.coverage.conditions[name]
            one = f"one response of {model.sign(model.reference or '')} covers {_said(of.responses_covered)}"
            yield Content.styled(f"       {one} of its {of.n}", DIM)


def _said(share: Estimate) -> str:
    if share.value is None:
        return "–"
    around = "" if share.ci is None else f" [{number(share.ci[0])}, {number(share.ci[1])}]"
    return f"{number(share.value)}{around}"


def _notes(model: InvestigationViewModel) -> Iterator[str]:
    coverage = model.diversity.coverage
    chance = coverage.false_matches
    against = "" if chance is None else f"; {chance:.1%} of sentences find one in an answer to another prompt"
    yield f"A sentence is said from a best match of cosine {coverage.threshold:.3f} on{against}."
    yield f"A response is covered where {coverage.share:.0%} of its sentences or more are said."
    sizes = [covered.n for covered in coverage.conditions.values() if covered.of_reference]
    if sizes and min(sizes) < FEW:
        yield f"Coverage over fewer than {FEW} responses a prompt carries no claim."
