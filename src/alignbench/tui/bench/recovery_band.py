"""Recovery over the whole width, above the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import events
from textual.content import Content

from alignbench.tui.bench.recovery_lines import TITLE, Measured, lines, spelled_out
from alignbench.tui.clickable import do_clicked
from alignbench.tui.sizes import TALL
from alignbench.tui.styled import DIM, plain
from alignbench.tui.text import fitted
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.comparison_values import HELD_OUT
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.recovery_scores import (
    RecoveryResult,
    RecoveryScores,
    band_columns,
    floor_of,
    prompts_compared,
    recovery_request,
    request_key,
)
from alignbench.tui.workbench.score_summary import bench_metrics

MATCHED = "matched"
HELD_OUT_WORDS = (
    "held out: compared with the samples of the reference that its context is not made from, and so is the floor that "
    "its share is of; the floor on the line is compared with all of them"
)


class RecoveryBand(SteadyText):
    """A line a similarity where the terminal is tall, else one that a key changes; of the prompt on the screen or of
    all. What was computed last stays until the next is there."""

    def __init__(self, workbench: Workbench, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._workbench = workbench
        self._last: RecoveryResult | None = None
        self._about: tuple[object, ...] = ()  # what the last one is of
        self._everywhere = False
        self._line = 0

    def turn(self) -> None:
        """The next line where only one fits, then the other prompts."""
        count = 1 if self._tall else len(self.measures())
        self._line += 1
        if self._line >= count:
            self._line, self._everywhere = 0, not self._everywhere and self._several
        self.show()

    async def on_click(self, event: events.Click) -> None:
        await do_clicked(self, event, "scores")

    @property
    def _tall(self) -> bool:
        return self.screen.size.height >= TALL

    @property
    def _several(self) -> bool:
        floor, _ = floor_of(self._workbench.bench)
        return floor is not None and prompts_compared(self._workbench.bench, floor) > 1

    def show(self) -> None:
        """Draw what is known now."""
        drawn = self._drawn()
        self.display = bool(drawn)
        if not drawn:
            self.tooltip = None
            return
        self.styles.height = len(drawn)
        self.update(Content("\n").join(drawn), layout=False)

    def _drawn(self) -> list[Content]:
        bench = self._workbench.bench
        width = self.size.width or self.screen.size.width
        if bench.reference not in {column.name for column in bench.columns} or len(bench.columns) < 2:
            return []
        floor, why_not = floor_of(bench)
        if floor is None:
            self.tooltip = plain(why_not)
            return [Content.assemble((f" {'recovery':<{TITLE}}", "bold"), (fitted(why_not, width - TITLE - 2), DIM))]
        self._everywhere = self._everywhere and self._several
        self._follow(floor)
        measures = self.measures()
        if not measures:
            return []
        shown = measures if self._tall else [measures[self._line % len(measures)]]
        self.tooltip = plain(self._told(measures)) or None
        return lines(shown, width)

    def _told(self, measures: Sequence[Measured]) -> str:
        """All of it in words, and what marks mean, each thing once."""
        from alignbench.reports.recovery_text import recovery_remarks

        compared = [one for measured in measures for one in measured.estimates]
        held_out = [f"{HELD_OUT} {HELD_OUT_WORDS}"] if any(HELD_OUT in column.sign for column, _ in compared) else []
        words = (line for measured in measures for line in spelled_out(measured))
        return "\n".join((*words, *recovery_remarks(score for _, score in compared), *held_out))

    def _follow(self, floor: str) -> None:
        """Have computed what is not; what is of other columns or another prompt is not shown."""
        workbench, everywhere = self._workbench, self._everywhere
        scores = workbench.of_session("recovery", lambda: RecoveryScores(workbench.backends, workbench.notify))
        key = request_key(workbench.bench, floor, everywhere=everywhere)
        busy = workbench.busy and not workbench.bench.busy
        version = 0 if busy else workbench.bench_scores.version
        job: BackgroundJob[RecoveryResult] | None = scores.ask(
            (key, version), lambda: recovery_request(workbench.bench, floor, everywhere=everywhere)
        )
        about = (workbench.bench.session, everywhere or workbench.bench.prompt.key, workbench.bench.reference, floor)
        if about != self._about:
            self._last, self._about = None, about
        if job is not None and job.result is not None:
            self._last = job.result

    def measures(self) -> list[Measured]:
        """What was computed last, a similarity each."""
        if self._last is None:
            return []
        return [*self._measured(self._last)]

    def _measured(self, result: RecoveryResult) -> Iterator[Measured]:
        bench = self._workbench.bench
        floor, _ = floor_of(bench)
        columns = band_columns(bench, floor)
        sides = [c for column in bench.columns for c in column.history if c.name in (bench.reference, floor)]
        cells = (bench.cells.get((bench.prompt.key, side.hash)) for side in sides)
        counts = [*(0 if cell is None else cell.done for cell in cells), *(column.n for column in columns if column.n)]
        for metric in bench_metrics()[1]:
            for label, table in ((metric.short, result.raw), (MATCHED, result.matched)):
                estimates = [(c, table[metric.key][c.name]) for c in columns if c.name in table.get(metric.key, {})]
                own = table.get(metric.key, {}).get(floor or "") if table is result.raw else None
                if estimates or own is not None:
                    yield Measured(label, estimates, min(counts, default=0), result.prompts, own)
