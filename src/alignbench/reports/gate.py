"""Diversity before and after a quality gate: how much of a difference is that bad responses are gone.

A gate leaves fewer samples, so only scores that do not move with their number are compared. It also leaves the prompts
on which several responses pass, which are the easy ones; so before and after are taken over the same prompts.
After Lake, Choi and Durrett 2024 (arXiv 2406.17692) and Shypula et al. 2025 (arXiv 2504.12522).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alignbench.judging.qualities import THRESHOLD, Qualities
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import Bootstrap
from alignbench.metrics.values import Value, WordMode
from alignbench.reports.cells import cell_values
from alignbench.reports.estimates import PromptValues, difference_entries, mean_entry, share_entry
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.model_based.judge import EFFECTIVE, PASSING, JudgedScores
from alignbench.scoring.responses import Responses

QUALITY = "mean of the judged aspects"


def gate_table(
    responses: Responses,
    qualities: Qualities,
    metrics: Sequence[str],
    mode: WordMode,
    embeddings: Embeddings | None,
    unseen: frozenset[str],
    reference: str | None,
    bootstrap: Bootstrap,
    threshold: float = THRESHOLD,
) -> dict[str, Any]:
    """{"threshold", "quality", "judge", "reason", "conditions": {name: {...}}}; empty conditions without judgments.

    Of each judged condition: `judged` samples, `passing` of them, `share` (mean over prompts), `distinct_passing`
    (classes of passing responses per sample that was judged), `effective_diversity`, and `metrics`: by name `before`
    and `after` the gate, and their paired `change`, over the prompts with two responses that pass. With a judged
    reference, `gap` says by metric how far a condition is from it `before` and `after` both were gated, and which
    `share` of the difference the gate took away.

    metrics: names of scores of one set; those that move with n are left out. unseen: prompts on which embeddings say
    nothing.
    """
    table: dict[str, Any] = {"threshold": threshold, "quality": QUALITY, "judge": qualities.judge or None}
    if not qualities.of:
        reason = "no quality judgments; make them with alignbench judge SESSION --kind quality"
        return {**table, "reason": reason, "conditions": {}}
    live = [METRICS[name] for name in metrics if METRICS[name].live and "within" in METRICS[name].scope]
    scored = [metric.name for metric in live if metric.more_diverse and not metric.moves_with_n]
    names = dict.fromkeys(condition for condition, _, _ in qualities.of)
    judged = JudgedScores(qualities, embeddings, threshold).within(responses)
    gates = {
        name: _gated(name, responses, qualities, judged, scored, mode, embeddings, unseen, threshold)
        for name in responses.conditions
        if name in names
    }
    conditions = {name: _condition(gate, scored, bootstrap) for name, gate in gates.items()}
    if reference in gates:
        others = [name for name in gates if name != reference]
        for metric in scored:
            changes = {name: (gates[name].before[metric], gates[reference].before[metric]) for name in others}
            gated = {name: (gates[name].after[metric], gates[reference].after[metric]) for name in others}
            # The same prompts before and after, or the comparison is of prompts.
            before = difference_entries({name: _both(changes[name], gated[name]) for name in others}, bootstrap)
            after = difference_entries(gated, bootstrap)
            for name in others:
                first, second = _gaps(changes[name]), _gaps(gated[name])
                closed = {p: a - b for p, a in first.items() if (b := second.get(p)) is not None and a is not None}
                share = share_entry(closed, {p: first[p] for p in closed}, bootstrap)
                gap = {"before": before[name], "after": after[name], "share": share}
                conditions[name].setdefault("gap", {})[metric] = gap
    return {**table, "reason": "", "conditions": conditions}


@dataclass(frozen=True, slots=True)
class _Gated:
    """Columns over prompts. before, after: by metric, of the prompts with two responses that pass."""

    judged: int
    passing: int
    share: PromptValues
    distinct: PromptValues
    effective: PromptValues
    before: Mapping[str, PromptValues]
    after: Mapping[str, PromptValues]


def _gated(
    condition: str,
    responses: Responses,
    qualities: Qualities,
    judged: Mapping[tuple[str, str], Mapping[str, Value]],
    metrics: Sequence[str],
    mode: WordMode,
    embeddings: Embeddings | None,
    unseen: frozenset[str],
    threshold: float,
) -> _Gated:
    n_judged = n_passing = 0
    share: dict[str, float | None] = {}
    distinct: dict[str, float | None] = {}
    effective: dict[str, float | None] = {}
    before: dict[str, dict[str, float | None]] = {metric: {} for metric in metrics}
    after: dict[str, dict[str, float | None]] = {metric: {} for metric in metrics}
    for prompt in responses.prompts:
        texts = responses.cells(prompt).get(condition, {})
        graded = {i: text for i, text in texts.items() if (condition, prompt, i) in qualities.of}
        passed = {i: text for i, text in graded.items() if qualities.of[condition, prompt, i] >= threshold}
        if not graded:
            continue
        n_judged, n_passing = n_judged + len(graded), n_passing + len(passed)
        share[prompt] = len(passed) / len(graded)
        blind = prompt in unseen
        distinct[prompt] = None if blind else judged[prompt, condition][PASSING].value
        effective[prompt] = None if blind else judged[prompt, condition][EFFECTIVE].value
        if len(passed) < 2:
            continue
        vectors = None if blind else embeddings
        values = [cell_values(cell, metrics, mode, vectors) for cell in (graded, passed)]
        for metric in metrics:
            pair = [found[metric].value for found in values]
            before[metric][prompt], after[metric][prompt] = pair if None not in pair else (None, None)
    return _Gated(n_judged, n_passing, share, distinct, effective, before, after)


def _condition(gate: _Gated, metrics: Sequence[str], bootstrap: Bootstrap) -> dict[str, Any]:
    few = "no prompt has two responses that pass"
    blind = "no embeddings"
    changes = difference_entries({m: (gate.after[m], gate.before[m]) for m in metrics}, bootstrap)
    return {
        "judged": gate.judged,
        "passing": gate.passing,
        "share": mean_entry(gate.share, bootstrap),
        "distinct_passing": mean_entry(gate.distinct, bootstrap, blind),
        "effective_diversity": mean_entry(gate.effective, bootstrap, blind),
        "metrics": {
            metric: {
                "before": mean_entry(gate.before[metric], bootstrap, few),
                "after": mean_entry(gate.after[metric], bootstrap, few),
                "change": changes[metric],
            }
            for metric in metrics
        },
    }


def _both(
    pair: tuple[PromptValues, PromptValues], other: tuple[PromptValues, PromptValues]
) -> tuple[PromptValues, PromptValues]:
    """The columns of `pair` on the prompts on which `other` has values."""
    there = [p for p, value in other[0].items() if value is not None and other[1].get(p) is not None]
    first, second = pair
    return {p: first.get(p) for p in there}, {p: second.get(p) for p in there}


def _gaps(pair: tuple[PromptValues, PromptValues]) -> dict[str, float | None]:
    first, second = pair
    return {p: a - b for p, a in first.items() if a is not None and (b := second.get(p)) is not None}
