"""What a view of the scores screen draws from, and the words that all views share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.roles import Role
from alignbench.scoring.condition_matrix import ConditionMatrix
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate, WithinEstimate
from alignbench.tui.scores.snapshot import Earlier, OnDemandResult, PromptPanel, PromptSpread, Snapshot
from alignbench.tui.sizes import NARROW
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.metric_rows import MetricRow

Drawn = tuple[list[Content], tuple[int, int]]  # lines, and the rows of the cursor: the first, and one past the last


@dataclass(frozen=True, slots=True)
class ScoresViewModel:
    """What a view of the scores screen is drawn from.

    Attributes:
        snapshot: The samples.
        selected: Place of the selected column.
        row: The chosen score.
        width: Cells of a line.
        panel, spread, matrix: None as long as they are being computed.
        jobs: Costly scores that were asked for, by name.
        answer: The chosen line of the answers.
        waiting: What stands in the place of a score that is not there yet.
    """

    snapshot: Snapshot
    selected: int
    row: MetricRow
    width: int
    panel: PromptPanel | None = None
    spread: PromptSpread | None = None
    matrix: ConditionMatrix | None = None
    jobs: Mapping[str, BackgroundJob[OnDemandResult]] | None = None
    answer: int = 0
    waiting: str = "computing …"

    @property
    def names(self) -> tuple[str, ...]:
        return self.snapshot.conditions

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def reference(self) -> int | None:
        """The column of the reference."""
        of = self.snapshot.roles.reference
        return None if of is None else self.names.index(of)

    def n(self, at: int) -> int:
        """Finished samples of a column."""
        return len(self.snapshot.samples[self.snapshot.prompt][self.names[at]])

    def role(self, at: int) -> Role:
        return self.snapshot.roles.of[at]

    def title(self, at: int) -> str:
        """A column's letter, with a star where it is the reference."""
        return f"{letter(at)}{'*' if at == self.reference else ''}"

    def entry(self, row: MetricRow, at: int) -> Estimate:
        """A score of a column, or why there is none."""
        return self.similarity(row, at) if row.cross else self.within(row, at)

    def within(self, row: MetricRow, at: int) -> WithinEstimate:
        """A score of a column alone, or why there is none."""
        if why := self._why_none(row, at):
            return WithinEstimate(reason=why)
        table = self.panel.tables.within if self.panel is not None else {}
        return table.get(self.names[at], {}).get(row.metric.name) or WithinEstimate(reason=self.waiting)

    def similarity(self, row: MetricRow, at: int) -> CrossEstimate:
        """A score of a column and the reference, or why there is none."""
        if self.reference is None:
            return CrossEstimate(reason="No column is the reference; * on the Bench marks one.")
        if why := self._why_none(row, at):
            return CrossEstimate(reason=why)
        return self._cross(row, self.names[at])

    def matched(self, row: MetricRow, at: int) -> MatchedEstimate | None:
        """A lexical score of a column and the reference at matched length; None of any other, and of the reference."""
        table = self.panel.tables.matched if self.panel is not None and not row.cross else {}
        return table.get(self.names[at], {}).get(row.metric.name)

    def matched_words(self, row: MetricRow, matched: MatchedEstimate) -> str:
        """A score of a column and of the reference, all responses cut to the words of the shortest compared."""
        if matched.value is None:
            return f"Not compared at matched length: {matched.reason}."
        own, reference = row.written(row.shown(matched.value)), row.written(row.shown(matched.reference))
        against = self.title(self.reference or 0)
        return f"At matched length {own}, {against} {reference}: {row.difference(matched.difference, interval=True)}."

    def version(self, row: MetricRow, one: Earlier) -> CrossEstimate:
        """A similarity of an earlier version of a column, or why there is none."""
        return self._cross(row, one.name)

    def _cross(self, row: MetricRow, name: str) -> CrossEstimate:
        table = self.panel.tables.cross if self.panel is not None else {}
        return table.get(name, {}).get(row.metric.name) or CrossEstimate(reason=self.waiting)

    def _why_none(self, row: MetricRow, at: int) -> str:
        """Why there is nothing to score; empty where there is."""
        if not self.n(at):
            running = self.names[at] in self.snapshot.running
            return "being sampled …" if running else "no finished sample of this prompt; F5 on the Bench draws some"
        job = (self.jobs or {}).get(row.run)
        waits = row.on_demand and (job is None or job.result is None)
        return how_on_demand(job) if waits and not (job is None and self.is_kept(row)) else ""

    def is_kept(self, row: MetricRow) -> bool:
        """Whether it is a user's score that has values from before."""
        tables = {} if self.panel is None else self.panel.tables.within
        return row.metric.name in (self.panel.kept if self.panel is not None else ()) and any(
            row.metric.name in tables.get(name, {}) for name in self.names
        )

    def count(self, name: str, at: int) -> int | None:
        """Duplicates or empty responses of a column."""
        if self.panel is None:
            return None
        value = self.panel.tables.within[self.names[at]][name].value
        return None if value is None else int(value)


def how_on_demand(job: BackgroundJob[OnDemandResult] | None) -> str:
    """How it stands with a score that runs on demand."""
    if job is None:
        return "on demand: o runs it"
    if job.error:
        return f"{job.error} o tries again."
    if job.cancelled:
        return "given up; o runs it"
    return f"{job.doing or 'starting'} …, c gives up"


def visible_columns(count: int, room: int, selected: int, keep: int | None) -> list[int]:
    """Places of the columns to show where not all fit: those around the selected one, and the one to keep.

    Args:
        count: How many there are.
        room: How many fit.
        selected: Place of the selected one.
        keep: Place of one that stays in sight.
    """
    if count <= room:
        return list(range(count))
    first = max(0, min(selected - room // 2, count - room))
    shown = list(range(first, first + room))
    if keep is not None and keep not in shown and room > 1:
        shown[0 if keep < first else -1] = keep
    return sorted({*shown, selected})
