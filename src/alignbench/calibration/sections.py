"""A calibration as titled tables of texts: what the terminal and the page in docs show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import TypeVar

from alignbench.calibration.experiments import EXPERIMENTS
from alignbench.calibration.tally import Calibration, ClaimRate, CoverageRate, Rate
from alignbench.metrics.registry import METRICS
from alignbench.reports.section import Section

_PLANTED = {experiment.name: experiment.planted for experiment in EXPERIMENTS}
_CLAIMS = {
    "length": "responses are longer or shorter",
    "diversity": "more or less diverse",
    "matched diversity": "more or less diverse at matched length",
    "gate": "bad responses are part of the difference",
    "aggregation": "the reference gathers what the responses say",
    "recovery": "context recovers something",
    "distribution": "another distribution",
    "entropy": "draws from a wider or narrower distribution",
    "stance spread": "stances are spread more or less evenly",
    "sides": "one response covers more or less of the sides",
    "both sides": "one of both names both sides more often where the other splits",
    "anchors": "writes around more or fewer common phrases",
}

_T = TypeVar("_T", ClaimRate, CoverageRate)


def calibration_sections(calibration: Calibration) -> list[Section]:
    """What is wrong most often, what is found, which intervals hold, then every null."""
    due = [claim for claim in calibration.claims if claim.due]
    by_experiment = ("planted", "sentence")
    return [
        Section(
            "How often a sentence is wrong: its worst null",
            ("sentence", *_sizes(calibration)),
            tuple(
                (sentence, *_cells(calibration, claims, _worst))
                for sentence, claims in _grouped(calibration.errors, _sentence)
            ),
            notes=(_settings(calibration),),
        ),
        Section("How often it is found: power", (*by_experiment, *_sizes(calibration)), _rows(calibration, due)),
        Section(
            "How often a 95% interval holds the number: mean over experiments, and the lowest",
            ("number", *_sizes(calibration)),
            tuple(
                (number, *_cells(calibration, coverages, _lowest))
                for number, coverages in _grouped(calibration.coverages, lambda coverage: coverage.number)
            ),
        ),
        Section("Every null", (*by_experiment, *_sizes(calibration)), _rows(calibration, calibration.errors)),
        Section(
            "Not made",
            notes=tuple(f"{_PLANTED[name]}: {reason}" for name, reason in calibration.skipped.items()),
        ),
    ]


def _settings(calibration: Calibration) -> str:
    return (
        f"{calibration.repetitions} repetitions of each experiment at each number of prompts, {calibration.n} samples "
        f"a prompt, {calibration.source}, seed {calibration.seed}; 95% intervals of the rates (Wilson)."
    )


def _sizes(calibration: Calibration) -> tuple[str, ...]:
    return tuple(f"{n} prompts" for n in calibration.prompts)


def _rows(calibration: Calibration, claims: Sequence[ClaimRate]) -> tuple[tuple[str, ...], ...]:
    """A row for each experiment and sentence."""
    groups = _grouped(claims, lambda claim: f"{_PLANTED[claim.experiment]}\n{_sentence(claim)}")
    return tuple((*name.split("\n"), *_cells(calibration, of, _only)) for name, of in groups)


def _grouped(rates: Iterable[_T], name: Callable[[_T], str]) -> Iterator[tuple[str, list[_T]]]:
    """In order of first appearance."""
    groups: dict[str, list[_T]] = {}
    for rate in rates:
        groups.setdefault(name(rate), []).append(rate)
    yield from groups.items()


def _cells(calibration: Calibration, rates: Sequence[_T], shown: Callable[[list[_T]], str]) -> list[str]:
    """One for each number of prompts."""
    by_size = [[rate for rate in rates if rate.prompts == n] for n in calibration.prompts]
    return [shown(there) if there else "-" for there in by_size]


def _sentence(claim: ClaimRate) -> str:
    return f"{_CLAIMS[claim.kind]} ({METRICS[claim.metric].title})"


def _only(rates: list[ClaimRate]) -> str:
    return _percent(rates[0].rate)


def _worst(rates: list[ClaimRate]) -> str:
    worst = max(rates, key=lambda claim: claim.rate.value)
    return _percent(worst.rate) + (f" {worst.experiment}" if worst.rate.hits else "")


def _lowest(rates: list[CoverageRate]) -> str:
    lowest = min(rates, key=lambda coverage: coverage.rate.value)
    mean = fmean(coverage.rate.value for coverage in rates)
    return f"{mean:.1%} ({lowest.rate.value:.1%} {lowest.experiment})"


def _percent(rate: Rate) -> str:
    low, high = rate.ci
    return f"{rate.value:.1%} [{low:.1%}, {high:.1%}]"
