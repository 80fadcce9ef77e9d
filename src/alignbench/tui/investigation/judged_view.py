"""The third view: what is left of diversity behind a quality gate, and which side responses take."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from alignbench.judging.summary import DISTINCT, STANCES
from alignbench.metrics.estimates import Estimate
from alignbench.reports.numbers import percent, percents
from alignbench.tui.investigation.diversity_view import difference_words
from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import count, number, printable
from alignbench.tui.workbench.metric_rows import MetricRow, rows

BAR = 12


def judged_lines(model: InvestigationViewModel) -> list[Content]:
    """The gate, then the stances."""
    return [*_gate(model), Content(""), *_stances(model)]


def _gate(model: InvestigationViewModel) -> Iterator[Content]:
    gate = model.diversity.gate
    yield heading(f" Quality gate: {gate.quality} {gate.threshold:g} or more")
    if gate.judge is None:
        yield from paragraphs(["Nobody has judged these responses: J has a model do it."], model.width)
        return
    yield Content.styled(f" judged by {printable(gate.judge)}", DIM)
    if not gate.conditions:
        yield from paragraphs(["None of its replies could be read as grades; J has another model judge."], model.width)
        return
    for name, gated in gate.conditions.items():
        share = _number(gated.share)
        passing = f"{gated.passing} of {gated.judged} pass ({share})"
        beside = f"distinct and passing {_number(gated.distinct_passing)}, effective diversity "
        yield Content.assemble(model.who(name), passing, (f"   {beside}{_number(gated.effective_diversity)}", DIM))
    of_set = {row.metric.name: row for row in rows() if not row.cross}
    metrics = dict.fromkeys(metric for gated in gate.conditions.values() for metric in gated.metrics)
    for metric in metrics:
        yield Content("")
        yield from _change(model, of_set[metric])
    yield Content("")
    yield from paragraphs(
        ["Before and after are over the prompts with two responses that pass, which are the easier ones."],
        model.width,
        style=DIM,
    )


def _change(model: InvestigationViewModel, row: MetricRow) -> Iterator[Content]:
    """One score of every condition before and after the gate, and how much of the gap to the reference it closes."""
    matched = ", matched length" if row.metric.lexical else ""
    yield Content.assemble((f" {row.label}{matched} {row.arrow}".rstrip(), "bold"), ("  before → after the gate", DIM))
    for name, gated in model.diversity.gate.conditions.items():
        change = gated.metrics[row.metric.name]
        if change.after.value is None:
            yield Content.assemble(model.who(name), (f"–  {change.after.reason}", DIM))
            continue
        values = [_around(row, estimate) for estimate in (change.before, change.after)]
        yield Content.assemble(
            model.who(name),
            f"{values[0]} → {values[1]}   {difference_words(row, change.change)}",
            (f"   {count(change.after.n, 'prompt')}", DIM),
        )
        gap = gated.gap.get(row.metric.name)
        if gap is not None and gap.before.value is not None:
            apart = f"{difference_words(row, gap.before)} → {difference_words(row, gap.after)}"
            against = f"against {model.sign(model.reference or '')}: {apart}; {_gone(gap.share)}"
            yield from paragraphs([against], model.width - 5, "    ", DIM)


def _gone(share: Estimate) -> str:
    """How much of a difference the gate took away, or why that is not said."""
    if share.value is None:
        return share.reason
    interval = f" {percents(share.ci)}" if share.ci else f" ({share.reason})"
    return f"{percent(share.value)}{interval} of it is gone"


def _stances(model: InvestigationViewModel) -> Iterator[Content]:
    contested = model.study.report.meta.contested
    stances = model.study.report.judged.get("stance", {})
    yield heading(f" Stances, {count(contested, 'contested prompt')}" if contested else " Stances")
    if not stances:
        why = (
            "Nobody has judged them: J has a model do it."
            if contested
            else "No prompt here is known to be contested: F2 on the Bench has a set of such prompts."
        )
        yield from paragraphs([why], model.width)
        return
    for name, fields in stances.items():
        distinct = fields[DISTINCT]
        spread = f"{_number(distinct)}{_interval(distinct)} different ones a prompt"
        yield Content.assemble(model.who(name), (spread, "bold"))
        for stance in STANCES:
            share = fields[stance].value
            if share is not None:
                bar = "█" * round(BAR * share)
                yield Content(f"       {stance:<6}{bar:<{BAR + 1}}{number(share)}{_interval(fields[stance])}")


def _around(row: MetricRow, estimate: Estimate) -> str:
    interval = row.interval(estimate)
    around = f" [{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
    return f"{row.written(row.value(estimate))}{around}"


def _number(estimate: Estimate) -> str:
    return "–" if estimate.value is None else number(estimate.value)


def _interval(estimate: Estimate) -> str:
    return "" if estimate.ci is None else f" [{number(estimate.ci[0])}, {number(estimate.ci[1])}]"
