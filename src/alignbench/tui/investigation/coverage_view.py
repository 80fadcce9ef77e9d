"""The fourth view: how much of a response others say together, as curves over how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.caveats import few_responses
from alignbench.reports.coverage_curves import EqualCoverage
from alignbench.reports.coverage_findings import in_sentences
from alignbench.tui.investigation.view_model import WHO, InvestigationViewModel, shown_p
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import number, printable
from alignbench.tui.widgets.plot import Axis, Point, plot

STEPS = 28  # dots between two points of a curve, and one

_Curves = Sequence[tuple[str, Sequence[Estimate]]]  # a mark, and the shares for k = 1, 2, ...


def coverage_lines(model: InvestigationViewModel) -> list[Content]:
    """What a condition's responses say together of one of the reference's, and these of one of the condition's; beside
    each curve what other responses of the same condition say."""
    coverage = model.diversity.coverage
    if coverage.reason or model.reference is None:
        why = "No column is the reference: * on the Bench marks one." if model.reference is None else coverage.reason
        return [heading(" Coverage"), *paragraphs([printable(why)], model.width)]
    reference = model.sign(model.reference)
    conditions = coverage.conditions
    of_reference = [(reference, coverage.reference)]
    of_condition = []
    for name, covered in conditions.items():
        of_reference.append((model.sign(name), covered.of_reference))
        of_condition += [(model.sign(name), covered.by_reference), (model.sign(name).lower(), covered.of_itself)]
    lines = [
        *_plot(model, of_reference, f"share of a response of {reference} that k responses say together"),
        Content.assemble(model.who(model.reference), ("its others  ", DIM), _ends(coverage.reference)),
    ]
    for name, covered in conditions.items():
        lines += _numbers(model, name, {"": covered.of_reference}, covered.equal_of_reference, reference)
        one = f"one response of {reference} covers {_said(covered.responses_covered)} of its {covered.n}"
        lines.append(Content.styled(f"       {one}", DIM))
    title = f"share of a response that k of {reference} say; small letters: k others of its own"
    lines += [Content(""), *_plot(model, of_condition, title)]
    for name, covered in conditions.items():
        curves = {f"by {reference}  ": covered.by_reference, "its others  ": covered.of_itself}
        lines += _numbers(model, name, curves, covered.equal_by_reference, model.sign(name))
    return [*lines, Content(""), *paragraphs(_notes(model), model.width, style=DIM)]


def _plot(model: InvestigationViewModel, curves: _Curves, title: str) -> list[Content]:
    points = []
    for mark, shares in curves:
        curve = [(k, share.value) for k, share in enumerate(shares, start=1) if share.value is not None]
        points += [Point(k, value, mark) for k, value in curve]
        for (k, value), (after, then) in pairwise(curve):
            steps = [i / STEPS for i in range(1, STEPS)]
            points += [Point(k + (after - k) * s, value + (then - value) * s, "·", faint=True) for s in steps]
    longest = max((len(shares) for _, shares in curves), default=1)
    width = min(model.width, 8 + 14 * longest)
    return plot(points, Axis("k", 1, max(2, longest)), Axis(title, 0.0, 1.0), width) if points else [heading(title)]


def _numbers(
    model: InvestigationViewModel,
    name: str,
    curves: Mapping[str, Sequence[Estimate]],
    equal: EqualCoverage,
    itself: str,
) -> Iterator[Content]:
    """The ends of a condition's curves, and below them the comparison in equally many sentences.

    itself: the sign of the condition that is covered.
    """
    if not any(curves.values()):
        yield Content.assemble(model.who(name), ("–  no prompt has both", DIM))
        return
    for i, (by, curve) in enumerate(curves.items()):
        yield Content.assemble(model.who(name) if not i else f"{'':{WHO}}", (by, DIM), _ends(curve))
    if equal.difference.value is None or equal.sentences is None:
        return
    said = f"{in_sentences(equal.sentences)} each: {_said(equal.by_other)}, others of {itself} {_said(equal.by_itself)}"
    ci = equal.difference.ci
    around = "" if ci is None else f" [{number(ci[0])}, {number(ci[1])}]"
    gap = f"difference {number(equal.difference.value)}{around} {shown_p(equal.difference)}".rstrip()
    for line in (said, gap) if model.narrow else (f"{said}; {gap}",):
        yield Content.styled(f"       {line}", DIM)


def _ends(curve: Sequence[Estimate]) -> str:
    return "   ".join(f"k = {k}: {_said(curve[k - 1])}" for k in sorted({1, len(curve)}) if curve) or "–"


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
    if few := few_responses(coverage):
        yield few
