"""Similarities of single pairs of samples that were imported, as the values of their metric."""

from __future__ import annotations

import statistics

from alignbench.metrics.values import Cross, Value
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.store import PairScore, Store


def imported_pairs(store: Store, session: int, reference: str | None) -> tuple[PrecomputedScores, str]:
    """The imported pairs of a session against its reference, and what a reader has to know; empty without any.

    The value of the reference against itself keeps the pairs of a sample with itself, as the release that they come
    from does; its ceiling leaves them out, as every other ceiling here.
    """
    pairs = [pair for pair in store.pair_scores(session, BERTSCORE) if pair.reference == reference]
    by_cell: dict[tuple[str, str], list[PairScore]] = {}
    for pair in pairs:
        by_cell.setdefault((pair.prompt_id, pair.condition), []).append(pair)
    ceilings = {
        prompt: statistics.fmean(different)
        for (prompt, condition), there in by_cell.items()
        if condition == reference and (different := [p.value for p in there if p.sample != p.reference_sample])
    }
    within = {
        (prompt, reference): {BERTSCORE: Value(ceiling, 1 + _n_pairs(by_cell[prompt, reference]))}
        for prompt, ceiling in ceilings.items()
        if reference is not None
    }
    cross = {cell: {BERTSCORE: _cross(there, ceilings.get(cell[0]))} for cell, there in by_cell.items()}
    identical = sum(p.sample == p.reference_sample for p in pairs if p.condition == reference)
    note = ""
    if pairs:
        note = (
            f"{BERTSCORE} is of the {len(pairs)} pairs that were imported; {reference} against itself keeps "
            f"{identical} pairs of a sample with itself, and its ceiling leaves them out"
        )
    return PrecomputedScores(within, cross), note


def _cross(pairs: list[PairScore], ceiling: float | None) -> Cross:
    reason = "" if ceiling is not None else "no pair of the reference with itself was imported"
    return Cross(statistics.fmean(p.value for p in pairs), len(pairs), ceiling, ceiling_reason=reason)


def _n_pairs(pairs: list[PairScore]) -> int:
    return sum(p.sample != p.reference_sample for p in pairs)
