"""Similarities of single pairs of samples that were imported, as the values of their metric."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from functools import partial

from alignbench.contexts.source_samples import Sources
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.held_out import HeldOut, ReferencePart
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.store import PairScore, Store


def imported_pairs(
    store: Store, session: int, reference: str | None, floor: str | None, sources: Sources
) -> tuple[PrecomputedScores, str]:
    """The imported pairs of a session against its reference, and what a reader has to know; empty without any.

    The value of the reference against itself keeps the pairs of a sample with itself, as the release that they come
    from does; its ceiling leaves them out, as every other ceiling here.

    Args:
        store: Where they are kept.
        session: Its number.
        reference: Name of the condition that the others are compared with.
        floor: Name of the zero-shot condition; None without one.
        sources: The samples of the reference that contexts are made from.
    """
    if reference is None:
        return PrecomputedScores(), ""
    pairs = [pair for pair in store.pair_scores(session, BERTSCORE) if pair.reference == reference]
    by_prompt: dict[str, dict[str, list[PairScore]]] = {}
    for pair in pairs:
        by_prompt.setdefault(pair.prompt_id, {}).setdefault(pair.condition, []).append(pair)
    within: dict[tuple[str, str], dict[str, Value]] = {}
    compared: dict[str, PromptScores] = {}
    for prompt, cells in by_prompt.items():
        different = [p.value for p in cells.get(reference, ()) if p.sample != p.reference_sample]
        ceiling = statistics.fmean(different) if different else None
        if ceiling is not None:
            within[prompt, reference] = {BERTSCORE: Value(ceiling, 1 + len(different))}
        similarities = partial(_similarities, cells, ceiling)
        samples = {pair.reference_sample for there in cells.values() for pair in there}
        compared[prompt] = HeldOut(reference, floor, sources(prompt)).compared(cells, samples, similarities)
    identical = sum(p.sample == p.reference_sample for p in pairs if p.condition == reference)
    note = ""
    if pairs:
        note = (
            f"{BERTSCORE} is of the {len(pairs)} pairs that were imported; {reference} against itself keeps "
            f"{identical} pairs of a sample with itself, and its ceiling leaves them out"
        )
    return PrecomputedScores(within, compared), note


def _similarities(
    cells: Mapping[str, list[PairScore]], ceiling: float | None, name: str, part: ReferencePart
) -> dict[str, Cross]:
    pairs = [pair.value for pair in cells.get(name, ()) if pair.reference_sample in part]
    if name not in cells:
        return {}
    value, reason = (statistics.fmean(pairs), "") if pairs else (None, "no pair was imported")
    ceiling_reason = "" if ceiling is not None else "no pair of the reference with itself was imported"
    return {BERTSCORE: Cross(value, len(pairs), ceiling, reason, ceiling_reason)}
