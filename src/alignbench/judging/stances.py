"""Stances of samples on contested prompts, as a judge takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.judging.qualities import SampleKey
from alignbench.judging.summary import judgments_of
from alignbench.store import Store

NO_STANCES = "no stance judgments: alignbench judge SESSION --kind stance makes them"


@dataclass(frozen=True, slots=True)
class Stances:
    """What side samples take: yes, no, both or other.

    Attributes:
        judge: A model's reference or a person; empty without one.
        of: By condition, prompt id and sample; without those that the judge had no say on.
        unread: Replies of the judge that could not be read, by condition.
    """

    judge: str
    of: Mapping[SampleKey, str]
    unread: Mapping[str, int]

    def cell(self, condition: str, prompt: str, samples: Mapping[int, object]) -> list[str]:
        """Of these samples in order, those that have one."""
        keys = ((condition, prompt, sample) for sample in sorted(samples))
        return [self.of[key] for key in keys if key in self.of]


def read_stances(store: Store, session: int, judge: str | None = None) -> Stances:
    """By one judge; without a name, by the judge with the most judgments."""
    judges = store.judges(session, "stance")
    chosen = judge if judge is not None else next(iter(judges), "")
    stances: dict[SampleKey, str] = {}
    unread: dict[str, int] = {}
    for row in judgments_of(store, session, "stance", chosen) if chosen else ():
        if row.judgment.status == "valid":
            stances[row.condition, row.prompt_id, row.sample] = str(row.judgment.fields["stance"])
        elif row.judgment.status == "invalid":
            unread[row.condition] = unread.get(row.condition, 0) + 1
    return Stances(chosen, stances, unread)
