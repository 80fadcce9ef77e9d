"""Which responses of a condition a judge finds to be the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.judging.class_plan import Pair
from alignbench.judging.summary import judgments_of
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class Equivalences:
    """judge: a model's reference; empty without one. of: by condition and prompt id, of the pairs that are judged."""

    judge: str
    of: Mapping[tuple[str, str], Mapping[Pair, bool]]


def read_equivalences(store: Store, session: int, judge: str | None = None) -> Equivalences:
    """Of one judge; without a name, of the judge with the most judgments."""
    chosen = judge if judge is not None else next(iter(store.judges(session, "equivalence")), "")
    pairs: dict[tuple[str, str], dict[Pair, bool]] = {}
    for row in judgments_of(store, session, "equivalence", chosen) if chosen else ():
        if row.judgment.status == "valid" and row.reference_sample is not None:
            pair = min(row.sample, row.reference_sample), max(row.sample, row.reference_sample)
            pairs.setdefault((row.condition, row.prompt_id), {})[pair] = bool(row.judgment.fields["same"])
    return Equivalences(chosen, pairs)
