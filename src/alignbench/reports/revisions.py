"""Ladders of revisions: one model as pretraining left it, after SFT, after DPO, ..., each a condition."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from alignbench.metrics.registry import METRICS
from alignbench.reports.contents import Report
from alignbench.reports.recovery_text import shown_recovery
from alignbench.reports.section import Section, metric_digits, metric_title, shown_value, two_lines
from alignbench.spec import Condition, default_context

WITHIN = ("words", "jaccard", "embedding_diversity")
CROSS = ("jaccard", "embedding_similarity")


def revision_ladders(
    conditions: Sequence[Condition], named: Sequence[Sequence[str]] = ()
) -> tuple[tuple[str, ...], ...]:
    """Names of the conditions that make a ladder each, from its foot on.

    named: ladders that an experiment file names; of these, conditions that are there. Beside them, conditions of one
    `hf:org/name@revision`, or of one adapter `hf:base+org/name@revision`, at two revisions or more that differ in
    nothing else but what a base model and an aligned one get without a context; they stand in the session's order.
    """
    there = {condition.name for condition in conditions}
    ladders = [tuple(name for name in ladder if name in there) for ladder in named]
    taken = {name for ladder in ladders for name in ladder}
    groups: dict[Hashable, dict[str, str]] = {}
    for condition in conditions:
        repository, revision = _parted(condition.model.reference)
        if repository.startswith("hf:") and condition.name not in taken:
            alone = condition.context == default_context(condition.model)
            drawn = condition.sampling, condition.mode, condition.unrecorded
            key = (repository, drawn, None if alone else condition.context.hash)
            groups.setdefault(key, {}).setdefault(revision, condition.name)
    ladders += [tuple(stages.values()) for stages in groups.values()]
    return tuple(ladder for ladder in ladders if len(ladder) > 1)


def _parted(reference: str) -> tuple[str, str]:
    """A hub model without its revision, and that; of one with an adapter it is the adapter's."""
    base, plus, adapter = reference.partition("+")
    if not plus:
        repository, _, revision = reference.partition("@")
        return repository, revision
    place, star, scale = adapter.partition("*")
    repository, _, revision = place.partition("@")
    return f"{base}+{repository}{star}{scale}", revision


def ladder_section(report: Report, ladder: Sequence[str]) -> Section:
    """A table with a row a stage: diversity with its difference to the reference, similarity with its recovery."""
    reference, conditions = report.meta.reference, report.meta.conditions
    within, cross = report.scores.within, report.scores.cross
    inside = [name for name in WITHIN if name in within[ladder[0]]]
    against = [name for name in CROSS if name in cross.get(ladder[0], {})]
    rows = []
    for name in ladder:
        cells = [
            two_lines(within[name][metric], report.scores.value_within(reference, metric), metric_digits(metric))
            for metric in inside
        ]
        for metric in against:
            cells += [shown_value(cross[name][metric]), shown_recovery(cross[name][metric])]
        rows.append(
            (f"{name} (reference)" if name == reference else name, conditions[name].condition.model.reference, *cells)
        )
    similarity = [title for name in against for title in (f"{METRICS[name].title} to {reference}", "recovery")]
    columns = ("stage", "model", *map(metric_title, inside), *similarity)
    notes = () if reference is None else (f"In the second line, what parts a stage from {reference}.",)
    return Section("Along the revisions", columns, tuple(rows), notes)
