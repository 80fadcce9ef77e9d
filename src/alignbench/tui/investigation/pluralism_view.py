"""The sixth view: one side in each response or both, phrases in common, and how alike conditions are."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.stance_pluralism import ConditionStances, StancePluralism
from alignbench.tui.investigation.view_model import WHO, InvestigationViewModel, shown_percent
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import count, number, printable

BAR = 12


def pluralism_lines(model: InvestigationViewModel) -> list[Content]:
    """The sentences, then the sides that each condition's responses cover."""
    said = [finding.text for finding in model.study.pluralism_findings]
    if model.reference is None:
        said = ["No column is the reference, so nothing is compared: * on the Bench marks one."]
    lines = [heading(" Pluralism"), *paragraphs(map(printable, said), model.width, "· "), Content("")]
    return [*lines, *_stances(model, model.study.pluralism.stances)]


def _stances(model: InvestigationViewModel, of: StancePluralism) -> Iterator[Content]:
    if of.reason:
        why = "Nobody has judged which side responses take: J has a model do it, for contested prompts (F2 has a set)."
        yield from paragraphs([why], model.width)
        return
    yield heading(f" Sides of {count(of.prompts, 'contested prompt')} that k responses cover together")
    for name, one in of.conditions.items():
        said = [f"stance entropy {_number(one.entropy)} bits", f"{shown_percent(one.names_both)} name both"]
        first, *rest = said if model.narrow else [", ".join(said)]
        yield Content.assemble(model.who(name), (first, "bold"))
        for line in rest:
            yield Content.assemble(" " * WHO, (line, "bold"))
        yield from _union(one)
    yield from paragraphs([f"As {printable(of.judge)} judged; no better than that judge."], model.width, style=DIM)


def _union(one: ConditionStances) -> Iterator[Content]:
    for k, point in enumerate(one.union, start=1):
        if point.value is not None:
            bar = "█" * round(BAR * point.value)
            yield Content(f"       k = {k:<3}{bar:<{BAR + 1}}{shown_percent(point)}")


def _number(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    around = "" if estimate.ci is None else f" [{number(estimate.ci[0])}, {number(estimate.ci[1])}]"
    return f"{number(estimate.value)}{around}"
