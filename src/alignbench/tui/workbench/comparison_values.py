"""What the strip and the columns show of a comparison: values, without how they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alignbench.reports.roles import Role
from alignbench.tui.text import number
from alignbench.tui.workbench.state import BenchCell

if TYPE_CHECKING:
    from alignbench.metrics.running_cell import Cross, Value

DASH = "–"
NOT_SAMPLED = "No sample of this prompt is finished yet; F5 samples."


class ScoreSource(Protocol):
    """Where scores come from: `alignbench.scoring.LiveScores`."""

    def within(self, prompt_id: str, condition: str) -> Mapping[str, Value]: ...

    def cross(self, prompt_id: str, reference: str, condition: str) -> Mapping[str, Cross]: ...

    def held_out(self, prompt_id: str, reference: str, condition: str, told: frozenset[int]) -> Mapping[str, Cross]: ...


@dataclass(frozen=True, slots=True)
class ShownMetric:
    """A score as the app calls it. invert: the table shows 1 - value. arrow: which way is more diverse."""

    key: str
    label: str
    short: str
    help: str
    invert: bool = False
    arrow: str = ""


WITHIN = (
    ShownMetric(
        "words",
        "words",
        "words",
        "Length of a sample in words: mean and standard deviation over the samples of the column.",
    ),
    ShownMetric(
        "jaccard",
        "lexical diversity",
        "lexical div.",
        "1 minus the mean Jaccard similarity of the word sets of two samples, over all pairs; stop words and case "
        "are left out. 1: no word in common. 0: the same words in every sample.",
        invert=True,
        arrow="↑",
    ),
    ShownMetric(
        "distinct_2",
        "distinct-2",
        "distinct-2",
        "Different pairs of neighbouring words, as a share of all pairs of neighbouring words in the column's samples. "
        "Longer texts repeat more, so compare it at like lengths only.",
        arrow="↑",
    ),
    ShownMetric(
        "embedding_diversity",
        "embedding diversity",
        "embedding div.",
        "1 minus the mean cosine similarity of the sentence embeddings (all-MiniLM-L6-v2) of two samples, over all "
        "pairs. 0: the samples say the same thing.",
        arrow="↑",
    ),
)


COUNTS = (
    ShownMetric("duplicates", "exact duplicates", "duplicates", "Samples that repeat the text of another one exactly."),
    ShownMetric("empty", "empty samples", "empty", "Samples with nothing but white space; most scores leave them out."),
)


CROSS = (
    ShownMetric(
        "jaccard",
        "Jaccard",
        "jaccard",
        "Mean Jaccard similarity of the word sets of a sample of this column and one of the reference. Its ceiling is "
        "the same number between different samples of the reference itself.",
    ),
    ShownMetric(
        "embedding_similarity",
        "cosine",
        "cosine",
        "Mean cosine similarity of the embeddings of a sample of this column and one of the reference. Its ceiling is "
        "the same number between different samples of the reference itself.",
    ),
)


@dataclass(frozen=True, slots=True)
class Score:
    """A number to show, or a dash and why."""

    value: float | None = None
    reason: str = ""
    sd: float | None = None
    whole: bool = False  # shown without decimals

    @property
    def text(self) -> str:
        if self.value is None:
            return DASH
        if self.sd is not None:
            return f"{self.value:.0f} ± {self.sd:.0f}"
        if self.whole:
            return f"{self.value:.0f}"
        return number(self.value)


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity to the reference: a score per column (None for the reference itself), and the ceiling."""

    ceiling: Score
    scores: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """names, n: of the columns from left to right. reference: which of them, None where there is none.

    standings: where columns and versions stand to the reference, the floor first.
    """

    names: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    selected: int = 0
    reference: int | None = None
    within: Mapping[str, tuple[Score, ...]] | None = None
    cross: Mapping[str, Similarity] | None = None
    standings: tuple[ReferenceComparison, ...] = ()

    @property
    def floor(self) -> ReferenceComparison | None:
        return next((standing for standing in self.standings if standing.role == "floor"), None)

    def missing(self) -> list[str]:
        """Why dashes are dashes, a line a score."""
        lines = []
        for metric in WITHIN:
            for name, score in zip(self.names, (self.within or {}).get(metric.key, ()), strict=False):
                if score.reason:
                    lines.append(f"{name}, {metric.label}: {score.reason}")
        for metric in CROSS:
            row = (self.cross or {}).get(metric.key)
            for name, similarity in zip(self.names, row.scores if row else (), strict=False):
                found = similarity or (row.ceiling if row else Score())
                if found.reason:
                    lines.append(f"{name}, {metric.label} to the reference: {found.reason}")
        return lines


def prompt_id(cell: BenchCell) -> str | None:
    """The database's name of the prompt that a cell's samples answer."""
    return next((sample.row.prompt_id for sample in cell.samples.values() if sample.row is not None), None)


@dataclass(frozen=True, slots=True)
class ReferenceComparison:
    """A condition against the reference. sign: letter of its column, with the version where there is more than one.

    scores: as `CROSS`. n: its samples. held_out: its context tells of samples of the reference, which are left out of
    the comparison. current: whether it is on the Bench, not an earlier version. selected: of the selected column.
    """

    sign: str
    words: str
    role: Role
    scores: tuple[Score, ...]
    n: int = 0
    held_out: bool = False
    current: bool = True
    selected: bool = False

    def recovery(self, metric: int, floor: ReferenceComparison | None, ceiling: Score) -> float | None:
        """(similarity - floor) / (ceiling - floor); None without both, or where the ceiling is not over the floor."""
        value, low = self.scores[metric].value, floor.scores[metric].value if floor is not None else None
        if value is None or low is None or ceiling.value is None or ceiling.value <= low:
            return None
        return (value - low) / (ceiling.value - low)
