"""What the strip and the columns show of a comparison: values, without how they are computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alignbench.reports.numbers import DIGITS
from alignbench.reports.roles import Role
from alignbench.tui.text import number
from alignbench.tui.workbench.cell import BenchCell

if TYPE_CHECKING:
    from alignbench.scoring.prompt_scores import PromptScores

DASH = "–"
HELD_OUT = "°"  # its context is made from samples of the reference, which are left out of the comparison
NOT_SAMPLED = "No sample of this prompt is finished yet; F5 samples."


class ScoreSource(Protocol):
    """Where scores come from: `alignbench.scoring.live.LiveScores`."""

    def prompt_scores(
        self,
        prompt_id: str,
        conditions: Iterable[str],
        reference: str | None = None,
        *,
        floor: str | None = None,
        sources: Mapping[str, Collection[int]] | None = None,
        contested: bool = False,
    ) -> PromptScores: ...


@dataclass(frozen=True, slots=True)
class ShownMetric:
    """A score on the Bench.

    Attributes:
        key: Name of the metric.
        label: Its name for people.
        short: The same where there is little room.
        invert: Whether 1 - value is shown.
        has_sd: Whether it is shown with its standard deviation.
        digits: Decimals that it is shown with.
        arrow: Which way is more diverse.
    """

    key: str
    label: str
    short: str
    invert: bool = False
    has_sd: bool = False
    digits: int = DIGITS
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """A number to show, or a dash and why."""

    value: float | None = None
    reason: str = ""
    sd: float | None = None
    digits: int = DIGITS

    @property
    def text(self) -> str:
        if self.value is None:
            return DASH
        text = number(self.value, self.digits)
        return text if self.sd is None else f"{text}±{number(self.sd, self.digits)}"


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity to the reference: a score per column (None for the reference itself), and the ceiling."""

    ceiling: Score
    scores: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The scores of the prompt on the screen.

    Attributes:
        names, n: Of the columns from left to right, with their finished samples.
        selected: Which of them is.
        reference: Which of them, None where there is none.
        within: Scores of one column, by metric: one for each column.
        cross: Similarities to the reference, by metric.
        metrics, similarities: What the rows of `within` and `cross` are.
        comparisons: How columns and their versions compare with the reference, the floor first.
    """

    names: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    selected: int = 0
    reference: int | None = None
    within: Mapping[str, tuple[Score, ...]] | None = None
    cross: Mapping[str, Similarity] | None = None
    metrics: tuple[ShownMetric, ...] = ()
    similarities: tuple[ShownMetric, ...] = ()
    comparisons: tuple[ReferenceComparison, ...] = ()

    def missing(self) -> list[str]:
        """Why dashes are dashes, a line a score."""
        lines = []
        for metric in self.metrics:
            for name, score in zip(self.names, (self.within or {}).get(metric.key, ()), strict=False):
                if score.reason:
                    lines.append(f"{name}, {metric.label}: {score.reason}")
        for metric in self.similarities:
            row = (self.cross or {}).get(metric.key)
            for name, similarity in zip(self.names, row.scores if row else (), strict=False):
                score = similarity or (row.ceiling if row else Score())
                if score.reason:
                    lines.append(f"{name}, {metric.label} to the reference: {score.reason}")
        return lines


def prompt_id(cell: BenchCell) -> str | None:
    """The database's name of the prompt that a cell's samples answer."""
    return next((sample.row.prompt_id for sample in cell.samples.values() if sample.row is not None), None)


@dataclass(frozen=True, slots=True)
class ReferenceComparison:
    """A condition compared with the reference.

    Attributes:
        sign: Letter of its column, with the version where there is more than one.
        words: Its context, or the name of its column.
        role: What it is to the reference.
        scores: Of the similarities on the Bench.
        n: Its samples.
        held_out: Whether its context is made from samples of the reference, which are left out of the comparison.
        current: Whether it is on the Bench, not an earlier version.
        selected: Whether it is of the selected column.
    """

    sign: str
    words: str
    role: Role
    scores: tuple[Score, ...]
    n: int = 0
    held_out: bool = False
    current: bool = True
    selected: bool = False
