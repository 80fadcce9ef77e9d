"""What a report holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alignbench.judging.summary import Agreement, JudgedTable
from alignbench.reports.constraint_ladders import ConstraintLadders
from alignbench.reports.coverage_curves import Coverage
from alignbench.reports.dial import Dial
from alignbench.reports.entropies import Entropies
from alignbench.reports.finding import Finding
from alignbench.reports.frontier import Frontier
from alignbench.reports.gate import QualityGate
from alignbench.reports.openings import Openings
from alignbench.reports.options import Investigation
from alignbench.reports.pluralism import Pluralism
from alignbench.reports.roles import Role
from alignbench.scoring.equivalence import Equivalence
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.truncation import Truncation, Truncations
from alignbench.spec import Condition
from alignbench.surveys.session_survey import SurveyResults


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """Of one condition. truncated: cut by length; None where finish reasons were not recorded. refused: refusals, as
    their server says."""

    samples: int
    errors: int
    truncated: int | None
    refused: int = 0

    @property
    def truncation(self) -> Truncation:
        return Truncation(self.truncated, self.samples)


@dataclass(frozen=True, slots=True)
class ReportedCondition:
    """A condition and what it is to the reference."""

    condition: Condition
    role: Role


@dataclass(frozen=True, slots=True)
class ReportMeta:
    """What a report was made of and with.

    Attributes:
        name, created, updated: of the session.
        reference, floor: names of conditions; None without one.
        floor_reason: why there is no floor; empty where there is one.
        mode: how words were counted.
        prompts, contested: how many there are, and how many of them are contested.
        samples, left_out: how many were scored, and how many failed or were cancelled.
        metrics: version of each score.
        resamples, seed: of the intervals.
        conditions: by name.
        ladders: names of conditions that are revisions of one model.
        judges: how far judges agree with each other, and people with judges, by kind and field.
        manifest: of the session, as it is stored.
        notes: what a reader of the numbers has to know.
        embedder: what embedded the responses; None where nothing did.
        equivalence: what two responses of one class have in common.
    """

    name: str
    created: str
    updated: str
    reference: str | None
    floor: str | None
    floor_reason: str
    mode: str
    prompts: int
    contested: int
    samples: int
    left_out: int
    metrics: Mapping[str, str]
    resamples: int
    seed: int
    conditions: Mapping[str, ReportedCondition]
    ladders: tuple[tuple[str, ...], ...]
    judges: Mapping[str, Mapping[str, Agreement]]
    manifest: Mapping[str, Any]
    notes: tuple[str, ...]
    embedder: str | None = None
    equivalence: Equivalence = field(default_factory=Equivalence)


@dataclass(frozen=True, slots=True)
class Diversity:
    """Investigation 1: how much of a loss of diversity is quality control, and how much is aggregation.

    frontier: None where no temperatures were named.
    dials: of each adapter that there are three scales of.
    """

    openings: Openings
    gate: QualityGate
    coverage: Coverage
    entropies: Entropies = field(default_factory=Entropies)
    frontier: Frontier | None = None
    dials: tuple[Dial, ...] = ()


@dataclass(frozen=True, slots=True)
class Investigated:
    """What an investigation found.

    Attributes:
        kind: which one.
        conditions: what each is: base, aligned or in-context.
        findings: sentences.
        diversity: None where it was not investigated.
        pluralism: The same.
    """

    kind: Investigation
    conditions: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    diversity: Diversity | None = None
    pluralism: Pluralism | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A session's scores, judgments by kind, counts by condition, what it was made with, an investigation, and what
    came of ladders of constraints and of survey questions."""

    session: int
    scores: ScoreTables
    judged: Mapping[str, JudgedTable] = field(default_factory=dict)
    counts: Mapping[str, SampleCounts] = field(default_factory=dict)
    meta: ReportMeta = field(kw_only=True)
    investigation: Investigated | None = None
    constraints: ConstraintLadders | None = None
    survey: SurveyResults | None = None

    @property
    def truncations(self) -> Truncations:
        """By condition, how many responses were cut by length."""
        return {name: counts.truncation for name, counts in self.counts.items()}

    @property
    def diversity(self) -> Diversity | None:
        """Of Investigation 1, where it is part of the report."""
        return None if self.investigation is None else self.investigation.diversity

    @property
    def pluralism(self) -> Pluralism | None:
        """Sides, matrix and anchors, where they are part of the report."""
        return None if self.investigation is None else self.investigation.pluralism
