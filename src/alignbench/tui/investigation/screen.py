"""Investigation 1 over the prompts of the session: what moved between base, in-context and aligned columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from alignbench.reports.frontier import parse_temperatures
from alignbench.spec import Model
from alignbench.tui.action import bindings
from alignbench.tui.investigation.actions import INVESTIGATION
from alignbench.tui.investigation.constraints_view import constraint_lines
from alignbench.tui.investigation.coverage_view import coverage_lines
from alignbench.tui.investigation.diversity_view import diversity_lines
from alignbench.tui.investigation.findings_view import findings_lines
from alignbench.tui.investigation.frontier_view import frontier_lines
from alignbench.tui.investigation.judged_view import judged_lines
from alignbench.tui.investigation.pluralism_view import pluralism_lines
from alignbench.tui.investigation.study import Study, Subject, study, subject
from alignbench.tui.investigation.temperatures import progress, sample_ladder
from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.screen import WorkbenchScreen
from alignbench.tui.sizes import NARROW
from alignbench.tui.styled import tabs
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.job_cache import JobCache

VIEWS: dict[str, Callable[[InvestigationViewModel], list[Content]]] = {
    "findings": findings_lines,
    "diversity": diversity_lines,
    "judged": judged_lines,
    "coverage": coverage_lines,
    "frontier": frontier_lines,
    "pluralism": pluralism_lines,
    "constraints": constraint_lines,
}
SHORT = {"constraints": "ladders"}  # where all titles do not fit
JUDGED_FIRST = {"pluralism": "stance", "constraints": "constraints"}  # what J begins with, by the view that asks for it
TEMPERATURES = "0.3,0.5,0.7,1.0"  # what is offered


class InvestigationScreen(WorkbenchScreen[None]):
    """Computed on a thread when it is opened, and again as samples come; it stays while nothing changes."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("investigation", INVESTIGATION)]
    AUTO_FOCUS = None
    HELP = (
        "Diversity seems to drop after alignment: how much of that is quality control, and how much is that one long "
        "response says what several base responses say? All columns of the Bench over all prompts of this session. J "
        "has a model judge them; t samples the columns at several temperatures, which the frontier is drawn from. 6 is "
        "pluralism: whether one response names both sides of a contested prompt, or each response one of them. 7 has "
        "ladders of constraints: how much of what a prompt asks for responses keep to as it asks for more."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._view = "findings"
        self._subject: Subject | None = None
        self._last: Study | None = None  # what stands until the next one is there

    def compose(self) -> ComposeResult:
        yield ScreenTitle()
        with Vertical(id="study", classes="section -selected"):
            yield SteadyText("", id="legend", markup=False)
            yield SteadyText("", id="state", markup=False)
            yield LineList(id="view")
        yield Keys()

    # computing

    @property
    def _studies(self) -> JobCache:
        return self.workbench.of_session("investigation", lambda: JobCache(self.workbench.notify))

    def _job(self) -> BackgroundJob[Study] | None:
        """The study of what is finished; while samples come, of what was when the last one had rested."""
        now = subject(self.workbench.bench)
        if self._subject is None or not self.workbench.busy or self._has_rested(self._subject):
            self._subject = now
        return None if self._subject is None else self._study(self._subject)

    def _has_rested(self, of: Subject) -> bool:
        """Whether the study of these samples has been over for as long as it took, so that half of the time is left."""
        job = self._studies.get(of)
        return job is not None and job.ended > 0 and not job.cancelled and time.monotonic() - job.ended >= job.took

    def _study(self, of: Subject) -> BackgroundJob[Study]:
        """The study of these samples; it begins when it is first asked for."""
        return self._studies.get(of) or self._begin(of)

    def _begin(self, of: Subject, judge: Model | None = None) -> BackgroundJob[Study]:
        """Begin it anew, and nothing else. judge: judges before what it has not judged of these columns, first what the
        view is of."""
        self._studies.cancel()
        first = JUDGED_FIRST.get(self._view, "quality")
        return self._studies.begin(of, partial(study, self.workbench.backends, of, judge, first))

    # showing

    def follow(self) -> None:
        job = self._job()
        if job is not None and job.result is not None:
            self._last = job.result
        self.query_one(ScreenTitle).show("Investigation 1", "diversity and alignment, over the prompts of the session")
        titles = {view: view for view in VIEWS} | (SHORT if self.size.width < NARROW else {})
        self.query_one("#study").border_title = tabs(titles, self._view, self.size.width - 4)
        state = self._state(job)
        self.query_one("#state", SteadyText).update(Content(one_line(state)))
        self.query_one("#state").display = bool(state)
        model = None
        if self._last is not None:
            columns = tuple(column.name for column in self.workbench.bench.columns)
            model = InvestigationViewModel(self._last, columns, max(40, self.size.width - 1))
        self.query_one("#legend", SteadyText).update(Content("\n").join(model.legend() if model else []))
        self.query_one("#legend").display = model is not None
        self.query_one(LineList).show(VIEWS[self._view](model) if model else [])
        self.refresh_bindings()

    def _state(self, job: BackgroundJob[Study] | None) -> str:
        """What is going on, and what is not in the numbers yet."""
        parts = []
        done, of = progress(self.workbench.bench)
        if of:
            parts.append(f"sampling temperatures {done}/{of} …, c stops it.")
        if job is None:
            parts.append("No finished sample yet: F5 on the Bench draws some.")
        elif job.error:
            parts.append(f"{job.error} r tries again.")
        elif job.cancelled:
            parts.append("Given up; r computes it.")
        elif job.running:
            parts.append(f"{job.doing or 'starting'} …, c gives up.")
        now = subject(self.workbench.bench)
        if now is not None and self._subject is not None and now.n > self._subject.n:
            parts.append(f"{count(now.n - self._subject.n, 'sample')} came since; r takes them in.")
        return "  ".join(parts)

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "give_up":
            return self.workbench.busy or self._studies.running
        if action in ("again", "judge"):
            return subject(self.workbench.bench) is not None
        return True

    # keys

    def action_view_findings(self) -> None:
        self._show("findings")

    def action_view_diversity(self) -> None:
        self._show("diversity")

    def action_view_judged(self) -> None:
        self._show("judged")

    def action_view_coverage(self) -> None:
        self._show("coverage")

    def action_view_frontier(self) -> None:
        self._show("frontier")

    def action_view_pluralism(self) -> None:
        self._show("pluralism")

    def action_view_constraints(self) -> None:
        self._show("constraints")

    def _show(self, view: str) -> None:
        self._view = view
        self.query_one(LineList).scroll_home(animate=False)
        self.follow()

    def action_again(self) -> None:
        self._subject = subject(self.workbench.bench)
        if self._subject is not None:
            self._begin(self._subject)
        self.follow()

    @work
    async def action_judge(self) -> None:
        from alignbench.tui.dialogs.judge import ask_for_judge

        judge = await ask_for_judge(self, self.workbench, "all responses")
        now = subject(self.workbench.bench)
        if judge is not None and now is not None:
            self._subject = now
            self._begin(now, judge)
            self._show(self._view if self._view in JUDGED_FIRST else "judged")

    @work
    async def action_temperatures(self) -> None:
        from alignbench.tui.dialogs.base import LineScreen

        dialog = LineScreen(
            "Temperatures, with commas between", TEMPERATURES, empty="Name two or more.", check=parse_temperatures
        )
        written = await self.app.push_screen_wait(dialog)
        if written is not None:
            self.do(sample_ladder(self.workbench, parse_temperatures(written)))
            self._show("frontier")

    def action_give_up(self) -> None:
        if self.workbench.busy:
            self.workbench.cancel()
        else:
            self._studies.cancel()
        self.follow()

    def panes(self) -> Iterable[Pane]:
        return self.query(LineList)
