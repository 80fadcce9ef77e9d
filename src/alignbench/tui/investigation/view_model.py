"""What a view of an investigation draws from, and the words that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import MIN_PROMPTS, SMALL_P, PairedDifference
from alignbench.reports.contents import Diversity
from alignbench.reports.numbers import percent, percents
from alignbench.scoring.score_tables import WithinEstimate
from alignbench.tui.investigation.study import Study
from alignbench.tui.sizes import NARROW
from alignbench.tui.styled import DIM, hue
from alignbench.tui.text import fitted, one_line
from alignbench.tui.workbench.column import letter

WHO = 18  # cells for a letter and a role


@dataclass(frozen=True, slots=True)
class InvestigationViewModel:
    """What a view is drawn from.

    Attributes:
        study: What was computed.
        columns: Names on the Bench from left to right, which give the conditions their letters.
        width: Cells of a line.
    """

    study: Study
    columns: tuple[str, ...]
    width: int

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def diversity(self) -> Diversity:
        """What the investigation found."""
        diversity = self.study.report.diversity
        assert diversity is not None
        return diversity

    @property
    def within(self) -> Mapping[str, Mapping[str, WithinEstimate]]:
        """The scores of one set, by condition."""
        return self.study.report.scores.within

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.within)

    @property
    def reference(self) -> str | None:
        return self.study.report.meta.reference

    def sign(self, name: str) -> str:
        """A condition's letter, with a star where it is the reference."""
        at = self.columns.index(name) if name in self.columns else len(self.columns)
        return f"{letter(at)}{'*' if name == self.reference else ''}"

    def colour(self, name: str) -> str:
        """Of what belongs to a condition: its column's; bold alone where it has none on the Bench."""
        return f"bold {hue(self.columns.index(name))}" if name in self.columns else "bold"

    def who(self, name: str) -> Content:
        """A condition's letter and role, as wide as `WHO`."""
        assert self.study.report.investigation is not None
        role = self.study.report.investigation.conditions[name]
        return Content.assemble("  ", (f"{self.sign(name):<3}", self.colour(name)), (f"{role:<{WHO - 5}}", DIM))

    def legend(self) -> list[Content]:
        """Which letter is which condition."""
        room = max(20, self.width // (2 if self.narrow else 3) - 2)
        parts = [
            Content.assemble((f"{self.sign(name):<2}", self.colour(name)), f" {fitted(one_line(name), room - 4)} ")
            for name in self.names
        ]
        per_line = max(1, (self.width - 1) // (room + 1))
        return [Content.assemble(" ", *parts[at : at + per_line]) for at in range(0, len(parts), per_line)]


def shown_p(difference: PairedDifference) -> str:
    """The corrected p of a difference, marked where it is 0.05 or less; empty under 20 prompts."""
    p = difference.p_holm
    if p is None or difference.n < MIN_PROMPTS:
        return ""
    return f"p {'< .001' if p < 0.001 else f'{p:.3f}'[1:] if p < 1 else '1'}{' *' if p <= SMALL_P else ''}"


def shown_percent(share: Estimate) -> str:
    """A share with its interval, a dash where there is none."""
    if share.value is None:
        return "–"
    return percent(share.value) + ("" if share.ci is None else f" {percents(share.ci)}")
