"""What a file of responses holds, before it becomes a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alignbench.spec import Condition, Prompt
from alignbench.store import UNKNOWN_FACTS, GenerationFacts, JudgmentStatus, PairScore

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class ImportedSample:
    """One response."""

    text: str = ""  # what it answers, cut where its layout ends
    raw_text: str = ""  # all that was generated
    finish: Finish | None = None  # None where the file does not say how it ended
    error: str = ""  # why there is no response, or a broken one; empty where there is one
    hint: str = ""  # what a hint-first response wrote before its answer
    thinking: str | None = None  # what the model thought before its answer
    refused: bool = False  # whether it is a refusal, as its server said
    note: str | None = None  # what a reader should know about it
    facts: GenerationFacts = UNKNOWN_FACTS  # what is known of how it was generated


@dataclass(frozen=True, slots=True)
class ImportedCell:
    """The responses of one condition to one prompt."""

    prompt: Prompt
    samples: tuple[ImportedSample, ...]
    rendered: str | None = None  # the exact text the model saw, where it is known
    indices: tuple[int, ...] = ()  # of the samples; 0, 1, ... where the file does not number them

    @property
    def numbered(self) -> Iterator[tuple[int, ImportedSample]]:
        """The samples with their indices."""
        return zip(self.indices or range(len(self.samples)), self.samples, strict=True)


@dataclass(frozen=True, slots=True)
class ImportedCondition:
    """A condition with its responses."""

    condition: Condition  # as far as the files tell it
    cells: tuple[ImportedCell, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else they tell, for the session's manifest


@dataclass(frozen=True, slots=True)
class ImportedJudgment:
    """What a judge said of a sample, or of one against a sample of a reference; see `store.Judgment`."""

    kind: str
    judge: str
    template_hash: str
    prompt: Prompt
    condition: str
    sample: int
    reference: str | None
    reference_sample: int | None
    status: JudgmentStatus
    fields: Mapping[str, Any]
    reason: str
    reply: str


@dataclass(frozen=True, slots=True)
class ImportedHint:
    """A summary that `maker` made of sample `sample` of a condition."""

    prompt: Prompt
    condition: str
    sample: int
    maker: str
    text: str


@dataclass(frozen=True, slots=True)
class ImportedPairs:
    """Pair values of one metric."""

    metric: str
    version: str  # of what computed them
    pairs: tuple[PairScore, ...]


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """One session's worth."""

    name: str
    source: Mapping[str, Any]  # where it came from, for the manifest
    conditions: tuple[ImportedCondition, ...]
    reference: str | None = None  # name of the condition the others are compared with, where one stands out
    pairs: tuple[ImportedPairs, ...] = ()
    judgments: tuple[ImportedJudgment, ...] = ()
    hints: tuple[ImportedHint, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader of the numbers has to know
