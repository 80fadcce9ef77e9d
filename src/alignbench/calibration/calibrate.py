"""All planted experiments, each in many repetitions: how often the findings of a report are wrong, and right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass, field

import numpy as np

from alignbench.calibration.experiments import EXPERIMENTS, SENTENCES, PlantedExperiment
from alignbench.calibration.made_texts import MadeTexts
from alignbench.calibration.numbers import Number, numbers
from alignbench.calibration.planted import OTHER, PlantedPrompts, TextSource, TooFewTexts
from alignbench.calibration.scored import ScoredPrompts
from alignbench.calibration.tally import Calibration, ClaimRate, CoverageRate, Rate
from alignbench.errors import InputError
from alignbench.progress import Progress, silent
from alignbench.reports.contents import Report
from alignbench.reports.finding import CLAIM_KINDS, ClaimKind
from alignbench.scoring.process_pool import process_pool

RESAMPLES = 1_000  # of a bootstrap: what is counted here are repetitions

_Sentence = tuple[ClaimKind, str]  # kind and metric


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What to run.

    Attributes:
        prompts: of a repetition, each number in turn.
        n: samples of a prompt.
        repetitions: of each experiment at each number of prompts.
        source: where responses come from.
        pool: prompts that are planted in an experiment for each of its largest repetition. They are scored once, and a
            repetition draws its own among them.
    """

    prompts: tuple[int, ...] = (5, 10, 20, 50)
    n: int = 5
    repetitions: int = 1_000
    seed: int = 0
    source: TextSource = field(default_factory=MadeTexts)
    pool: int = 20

    def __post_init__(self) -> None:
        """InputError where the source has fewer prompts than a repetition."""
        if self.source.n_prompts is not None and max(self.prompts) > self.source.n_prompts:
            raise InputError(
                f"--prompts: a repetition of {max(self.prompts)} prompts cannot be drawn from {self.source.n_prompts}."
            )

    @property
    def planted(self) -> int:
        """How many prompts of an experiment are planted; no more than all repetitions together can draw."""
        return max(self.prompts) * min(self.pool, self.repetitions)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one experiment."""

    claims: tuple[ClaimRate, ...] = ()
    coverages: tuple[CoverageRate, ...] = ()
    skipped: str = ""


def calibrate(request: CalibrationRequest, progress: Progress = silent, processes: int = 1) -> Calibration:
    """Run every experiment. processes: how many share them; the numbers are the same for any.

    AlignbenchError where a process is killed.
    """
    outcomes: dict[str, Outcome] = {}
    progress("planted experiments", 0, len(EXPERIMENTS))
    for name, outcome in _outcomes(request, processes):
        outcomes[name] = outcome
        progress("planted experiments", len(outcomes), len(EXPERIMENTS))
    ordered = [outcomes[experiment.name] for experiment in EXPERIMENTS]
    return Calibration(
        request.source.name,
        request.prompts,
        request.n,
        request.repetitions,
        request.seed,
        [claim for outcome in ordered for claim in outcome.claims],
        [coverage for outcome in ordered for coverage in outcome.coverages],
        {name: outcome.skipped for name, outcome in outcomes.items() if outcome.skipped},
    )


def _outcomes(request: CalibrationRequest, processes: int) -> Iterator[tuple[str, Outcome]]:
    if processes == 1:
        yield from ((each.name, run(request, each, place)) for place, each in enumerate(EXPERIMENTS))
        return
    with process_pool(processes, "ran experiments") as pool:
        running = {pool.submit(run, request, each, place): each.name for place, each in enumerate(EXPERIMENTS)}
        for future in as_completed(running):
            yield running[future], future.result()


def run(request: CalibrationRequest, experiment: PlantedExperiment, place: int) -> Outcome:
    """One experiment at all numbers of prompts. place: among the experiments, a part of its seed."""
    try:
        planted = PlantedPrompts(
            experiment.plant,
            request.source,
            request.n * experiment.samples,
            request.planted,
            np.random.default_rng([request.seed, place]),
        )
    except TooFewTexts as error:
        return Outcome(skipped=str(error))
    scored = ScoredPrompts(experiment, planted.cells, RESAMPLES)
    truth = numbers(scored.report([*planted.cells]))
    claims: list[ClaimRate] = []
    coverages: list[CoverageRate] = []
    for n_prompts in request.prompts:
        rng = np.random.default_rng([request.seed, place, n_prompts])
        tally = _Tally(experiment, scored.kinds, truth)
        for _ in range(request.repetitions):
            tally.add(scored.report(planted.choice(n_prompts, rng)))
        claims += tally.claims(n_prompts, request.repetitions)
        coverages += tally.coverages(n_prompts)
    return Outcome(tuple(claims), tuple(coverages))


class _Tally:
    """What the repetitions of an experiment at one number of prompts came to."""

    def __init__(
        self, experiment: PlantedExperiment, kinds: Collection[ClaimKind], truth: Mapping[str, Number]
    ) -> None:
        """kinds: of claims that can be made."""
        self._experiment, self._truth = experiment, truth
        self._sentences: list[_Sentence] = [
            (kind, metric)
            for kind in CLAIM_KINDS
            if kind in kinds and kind not in experiment.besides
            for metric in SENTENCES[kind]
        ]
        self._due: Counter[_Sentence] = Counter()
        self._errors: Counter[_Sentence] = Counter()
        self._held: Counter[str] = Counter()
        self._intervals: Counter[str] = Counter()

    def add(self, report: Report) -> None:
        """A repetition."""
        said = () if report.investigation is None else report.investigation.findings
        claims = [claim for finding in said if finding.condition == OTHER for claim in finding.claims]
        self._due.update({(claim.kind, claim.metric) for claim in claims if self._experiment.is_due(claim)})
        self._errors.update({(claim.kind, claim.metric) for claim in claims if self._experiment.is_error(claim)})
        for name, (_, ci) in numbers(report).items():
            if ci is not None and name in self._truth:
                self._intervals[name] += 1
                self._held[name] += ci[0] <= self._truth[name][0] <= ci[1]

    def claims(self, n_prompts: int, repetitions: int) -> Iterator[ClaimRate]:
        for kind, metric in self._sentences:
            counted = ((True, self._due), (False, self._errors))
            for due, counter in counted if kind in self._experiment.due else counted[1:]:
                rate = Rate(counter[kind, metric], repetitions)
                yield ClaimRate(self._experiment.name, n_prompts, kind, metric, due, rate)

    def coverages(self, n_prompts: int) -> Iterator[CoverageRate]:
        for number, n in self._intervals.items():
            yield CoverageRate(self._experiment.name, n_prompts, number, Rate(self._held[number], n))
