"""Judged quality of samples, for gates that bad responses do not pass."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.judging.replies import ASPECTS
from alignbench.judging.summary import judgments_of
from alignbench.store import Store

THRESHOLD = 3.0  # least quality that passes by default

SampleKey = tuple[str, str, int]  # condition, prompt id, index


@dataclass(frozen=True, slots=True)
class Qualities:
    """Judged quality of samples, 1 to 5: the mean of their graded aspects."""

    judge: str  # a model's reference or a person; empty without one
    of: Mapping[SampleKey, float]


def read_qualities(store: Store, session: int, judge: str | None = None) -> Qualities:
    """The qualities by one judge; without a name, by the judge with the most judgments."""
    judges = store.judges(session, "quality")
    chosen = judge if judge is not None else next(iter(judges), "")
    qualities: dict[SampleKey, float] = {}
    for row in judgments_of(store, session, "quality", chosen) if chosen else ():
        grades = [grade for name in ASPECTS if (grade := row.judgment.fields.get(name)) is not None]
        if row.judgment.status == "valid" and grades:
            qualities[row.condition, row.prompt_id, row.sample] = statistics.fmean(grades)
    return Qualities(chosen, qualities)
