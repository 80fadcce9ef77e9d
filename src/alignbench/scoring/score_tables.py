"""The scores of conditions: what `score_responses` and `session_scores` give back, and views and reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import Interval
from alignbench.metrics.statistics import PairedDifference
from alignbench.scoring.equivalence import Equivalence
from alignbench.scoring.floor import Floor
from alignbench.scoring.truncation import Truncations


@dataclass(frozen=True, slots=True)
class WithinEstimate(Estimate):
    """A score of one condition.

    Attributes:
        samples: of the prompts that have a value.
        extra: means over prompts of what cells have beside their value, by name: `sd` of words, the standard deviation
            inside a cell; `equal_n` of scores that move with n, where conditions differ in samples of a prompt, the
            value at the number that all have; the same score in other units.
        difference: to the reference, by `equal_n` where there is one; None without a reference, and for it.
    """

    samples: int = 0
    extra: Mapping[str, float | None] = field(default_factory=dict)
    difference: PairedDifference | None = None

    @property
    def sd(self) -> float | None:
        return self.extra.get("sd")


@dataclass(frozen=True, slots=True)
class CrossEstimate(Estimate):
    """A similarity of one condition to the reference's samples that its context is not made from (see `held_out`); of
    the reference to itself, the ceiling.

    Ceiling, floor and null are means over the prompts that the condition has a value for, floor and null against the
    same samples of the reference.

    Attributes:
        max_matched: mean over prompts of the expected maximum over pairs, at the number of pairs that the smallest of
            the compared sets has.
        mmd2: squared maximum mean discrepancy, with its interval, and the p of its being 0, corrected for all
            conditions and metrics that are compared.
        ceiling: the reference against itself.
        floor: the zero-shot condition against the reference; None without one.
        null: the reference's answers to other prompts in the condition's place.
        recovery: (value - floor) / (ceiling - floor), with its interval, why there is none, and a warning over 1.
        gap_ci: interval of ceiling - floor, over prompts, or over the samples of one prompt; None where there are too
            few of either.
        source: similarity to the samples that its context is made from alone; None where it is made from none.
        with_source: the same estimate over all samples of the reference; None where its context is made from none.
        extra: as in `WithinEstimate`.
    """

    max_matched: float | None = None
    mmd2: float | None = None
    mmd2_ci: Interval | None = None
    mmd2_p: float | None = None
    ceiling: float | None = None
    floor: float | None = None
    null: float | None = None
    recovery: float | None = None
    recovery_ci: Interval | None = None
    recovery_reason: str = ""
    gap_ci: Interval | None = None
    warning: str = ""
    source: float | None = None
    with_source: CrossEstimate | None = None
    extra: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def held_out(self) -> float | None:
        """The value, where samples of the reference are held out for it."""
        return self.value if self.with_source is not None else None


@dataclass(frozen=True, slots=True)
class MatchedEstimate:
    """A condition against the reference in a lexical score, at matched length (see `metrics.length_matched`).

    Attributes:
        value: mean over prompts of the condition's similarity; None where `reason` says why.
        reference: the same of the reference's own responses, cut to the same lengths.
        difference: of the two, over the prompts that have them.
        skipped: quadruples of responses that were not compared.
        reason: why there is no value; empty where there is one.
    """

    value: float | None
    reference: float | None
    difference: PairedDifference
    skipped: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConditionSize:
    """How many prompts a condition has responses to, how many responses, and how many of these are empty."""

    prompts: int
    samples: int
    empty: int


@dataclass(frozen=True, slots=True)
class ScoreTables:
    """By condition and metric.

    Attributes:
        within: of each condition alone.
        cross: every condition against the reference, itself included; empty without one.
        matched: every other condition against the reference, in lexical scores of one set; empty without one.
    """

    within: Mapping[str, Mapping[str, WithinEstimate]] = field(default_factory=dict)
    cross: Mapping[str, Mapping[str, CrossEstimate]] = field(default_factory=dict)
    matched: Mapping[str, Mapping[str, MatchedEstimate]] = field(default_factory=dict)

    def value_within(self, condition: str | None, metric: str) -> float | None:
        """Of a condition alone; None where there is none."""
        score = self.within.get(condition or "", {}).get(metric)
        return None if score is None else score.value

    @property
    def sizes(self) -> dict[str, ConditionSize]:
        """By condition."""
        empty = {condition: metrics["empty"] for condition, metrics in self.within.items() if "empty" in metrics}
        return {
            condition: ConditionSize(counted.n, counted.samples, round((counted.value or 0.0) * counted.n))
            for condition, counted in empty.items()
        }


@dataclass(frozen=True, slots=True)
class ScoredResponses:
    """The scores of a session or a file, and what they were made with.

    Attributes:
        source: a session's number, or a JSONL file.
        tables: the scores.
        mode: how texts became words: workbench or paper.
        truncate: so many words of every response were scored; None for all.
        reference: the condition that the others are compared with, None without one.
        no_reference: why there is none, else empty.
        floor: the zero-shot condition, or why there is none.
        prompts: how many were scored.
        samples: how many responses were.
        left_out: how many failed or were cancelled.
        versions: of each metric, with the model that it asked.
        resamples, seed: of the intervals.
        embedder: name of the embedding model, None without one.
        base: name of the base model that read the responses, None where none did.
        equivalence: what two responses of one class have in common.
        truncations: by condition, how many responses a limit on tokens cut.
        notes: what a reader of the numbers has to know.
        interrupted: whether a judge was, so that judged scores lack samples.
    """

    source: int | Path
    tables: ScoreTables
    mode: str
    truncate: int | None
    reference: str | None
    no_reference: str
    floor: Floor
    prompts: int
    samples: int
    left_out: int
    versions: Mapping[str, str]
    resamples: int
    seed: int
    embedder: str | None
    base: str | None
    truncations: Truncations
    notes: tuple[str, ...]
    equivalence: Equivalence = field(default_factory=Equivalence)
    interrupted: bool = False
