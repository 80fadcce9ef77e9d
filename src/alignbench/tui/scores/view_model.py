"""What a view of the scores screen draws from, and the words that all views share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.content import Content

from alignbench.reports.roles import Role
from alignbench.tui.background_job import BackgroundJob
from alignbench.tui.scores.metric_rows import Entry, MetricRow
from alignbench.tui.scores.snapshot import Earlier, OnDemandResult, PromptPanel, PromptSpread, Snapshot
from alignbench.tui.sizes import NARROW
from alignbench.tui.widgets.bars import DIM
from alignbench.tui.workbench.state import letter
from alignbench.tui.wrap import WrappedText

Drawn = tuple[list[Content], tuple[int, int]]  # lines, and the rows of the cursor: the first, and one past the last


@dataclass(frozen=True, slots=True)
class ScoresViewModel:
    """panel, spread: None as long as they are being computed. jobs: costly scores that were asked for, by name.

    row: the chosen score. answer: the chosen line of the answers.
    """

    snapshot: Snapshot
    selected: int
    row: MetricRow
    width: int
    panel: PromptPanel | None = None
    spread: PromptSpread | None = None
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

    def entry(self, row: MetricRow, at: int) -> Entry:
        """A score of a column, or why there is none."""
        if row.cross and self.reference is None:
            return {"reason": "No column is the reference; * on the Bench marks one."}
        if not self.n(at):
            running = self.names[at] in self.snapshot.running
            return {
                "reason": "being sampled …"
                if running
                else "no finished sample of this prompt; F5 on the Bench draws some"
            }
        job = (self.jobs or {}).get(row.run)
        if row.on_demand and (job is None or job.result is None):
            return {"reason": demand(job)}
        if self.panel is None:
            return {"reason": self.waiting}
        table = self.panel.tables["cross" if row.cross else "within"]
        return table[self.names[at]].get(row.metric.name, {"reason": self.waiting})

    def version(self, row: MetricRow, one: Earlier) -> Entry:
        """A similarity of an earlier version of a column, or why there is none."""
        if self.panel is None:
            return {"reason": self.waiting}
        return self.panel.tables["cross"].get(one.name, {}).get(row.metric.name, {"reason": self.waiting})

    def count(self, name: str, at: int) -> int | None:
        """Duplicates or empty responses of a column."""
        if self.panel is None:
            return None
        found = self.panel.tables["within"][self.names[at]][name]["value"]
        return None if found is None else int(found)


def demand(job: BackgroundJob[OnDemandResult] | None) -> str:
    """How it stands with a score that runs on demand."""
    if job is None:
        return "on demand: o runs it"
    if job.error:
        return f"{job.error} o tries again."
    if job.cancelled:
        return "given up; o runs it"
    return f"{job.doing or 'starting'} …, c gives up"


def heading(text: str) -> Content:
    return Content.styled(text, "bold")


def faint(text: str) -> Content:
    return Content.styled(text, DIM)


def notes(texts: Iterable[str], width: int) -> list[Content]:
    """Sentences below a view, wrapped."""
    wrapped = [WrappedText(width - 2, text) for text in texts]
    return [faint(f" {text[i]}") for text in wrapped for i in range(len(text))]


def visible_columns(count: int, room: int, selected: int, keep: int | None) -> list[int]:
    """Columns to show where not all fit: those around the selected one, and the one to keep."""
    if count <= room:
        return list(range(count))
    first = max(0, min(selected - room // 2, count - room))
    shown = list(range(first, first + room))
    if keep is not None and keep not in shown and room > 1:
        shown[0 if keep < first else -1] = keep
    return sorted({*shown, selected})
