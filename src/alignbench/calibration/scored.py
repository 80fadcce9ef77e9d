"""Planted prompts on the way of a report: each is scored once, and any choice of them is reported on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from alignbench.calibration.bags import BagsOfWords
from alignbench.calibration.experiments import PlantedExperiment
from alignbench.calibration.planted import FLOOR, JUDGE, OTHER, REFERENCE, PlantedCells, PlantedResponses
from alignbench.judging.qualities import THRESHOLD
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.reports.contents import Diversity, Investigated, Report, ReportMeta
from alignbench.reports.coverage_columns import coverage_columns
from alignbench.reports.coverage_curves import Coverage, coverage_of
from alignbench.reports.entropies import entropies
from alignbench.reports.finding import CLAIM_KINDS, ClaimKind
from alignbench.reports.findings import findings
from alignbench.reports.gate import QualityGate, gate_of
from alignbench.reports.gate_columns import GateScores, gate_rows
from alignbench.reports.openings import Openings
from alignbench.reports.pluralism import Pluralism
from alignbench.reports.pluralism_findings import pluralism_findings
from alignbench.reports.recovery import recovery_findings
from alignbench.reports.stance_pluralism import stance_pluralism
from alignbench.scoring.batch import scored_prompts, tables_of
from alignbench.scoring.model_based.judge import JudgedScores
from alignbench.scoring.scorer import ScoreRequest

WITHIN = ("words", "jaccard", "jaccard_2", "jaccard_stem", "rouge_l", "embedding_diversity", "surprisal",
          "anchor_share")  # fmt: skip
CROSS = ("jaccard", "embedding_similarity")
_FLIPS = 2  # drawn signs of a test for each resample of an interval, as there are by default

ROLES = {REFERENCE: "aligned", OTHER: "in-context", FLOOR: "base"}

_OF_STANCES: tuple[ClaimKind, ...] = ("stance spread", "sides", "both sides")
_GATED = ("jaccard", "embedding_diversity")


class ScoredPrompts:
    """The prompts of one experiment."""

    def __init__(self, experiment: PlantedExperiment, prompts: Mapping[str, PlantedCells], resamples: int) -> None:
        self._prompts = prompts
        responses, vectors = PlantedResponses(prompts), BagsOfWords()
        self._conditions = responses.conditions
        self._floor = FLOOR if FLOOR in responses.conditions else None
        self._request = ScoreRequest(WITHIN, CROSS, reference=REFERENCE, floor=self._floor, resamples=resamples)
        sources = {OTHER: experiment.sources}
        self._scores = scored_prompts(responses, self._request, vectors, sources=lambda _: sources)
        self._coverage = coverage_columns(responses, REFERENCE, vectors, frozenset(), lambda _: sources)
        gated = GateScores(_GATED, WORKBENCH, vectors, frozenset(), self._request.seed)
        self._stances = bool(responses.stances.of)
        self._gate = gate_rows(responses, JudgedScores(responses.qualities, vectors), gated, REFERENCE)

    @property
    def kinds(self) -> frozenset[ClaimKind]:
        """What a report on them can claim."""
        missing: dict[ClaimKind, bool] = {
            "recovery": self._floor is None,
            "gate": not self._gate.cells,
            **dict.fromkeys(_OF_STANCES, not self._stances),
        }
        return frozenset(kind for kind in CLAIM_KINDS if not missing.get(kind))

    def report(self, chosen: Sequence[str]) -> Report:
        """All investigations of some of the prompts."""
        responses = PlantedResponses({prompt: self._prompts[prompt] for prompt in chosen})
        resamples = self._request.resamples
        uncertainty = Uncertainty(resamples=resamples, flips=_FLIPS * resamples)
        diversity = Diversity(
            openings=Openings("jaccard", 0, {}),
            gate=gate_of(self._gate.among(chosen), JUDGE, THRESHOLD, uncertainty)
            if self._gate.cells
            else QualityGate(THRESHOLD, None, "nothing was judged"),
            coverage=Coverage("no sentences")
            if self._coverage is None
            else coverage_of(self._coverage.among(chosen), REFERENCE, uncertainty),
            entropies=entropies(responses, dict.fromkeys(self._conditions, 1.0), REFERENCE, uncertainty),
        )
        report = Report(
            0,
            tables_of((self._scores[prompt] for prompt in chosen), self._conditions, self._request, uncertainty),
            counts={name: responses.counts(name) for name in self._conditions},
            meta=_meta(responses, self._floor, resamples),
        )
        stances = Pluralism(stance_pluralism(responses, responses.stances, REFERENCE, uncertainty))
        said = (
            *findings(report, diversity),
            *recovery_findings(report, ROLES),
            *pluralism_findings(report, stances),
        )
        return replace(report, investigation=Investigated("all", ROLES, said, diversity, stances))


def _meta(responses: PlantedResponses, floor: str | None, resamples: int) -> ReportMeta:
    return ReportMeta(
        name="", created="", updated="", reference=REFERENCE, floor=floor, floor_reason="", mode=WORKBENCH.name,
        prompts=len(responses.prompts), contested=0, samples=responses.n, left_out=0, metrics={}, resamples=resamples,
        seed=0, conditions={}, ladders=(), judges={}, manifest={}, notes=(),
    )  # fmt: skip
