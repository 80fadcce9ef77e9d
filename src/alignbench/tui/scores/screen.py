"""All scores of the prompt on the Bench: table, recovery, spread over prompts, distinct answers, matrix, branching."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar, Literal, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from alignbench.errors import AlignbenchError
from alignbench.metrics.registry import METRICS
from alignbench.scoring.condition_matrix import ConditionMatrix
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.messages import Open
from alignbench.tui.scores.actions import SCORES
from alignbench.tui.scores.answers_view import answer_lines, answers
from alignbench.tui.scores.branching_view import branching_lines, branching_row
from alignbench.tui.scores.matrix_view import matrix_lines, matrix_rows
from alignbench.tui.scores.on_demand import job_on_demand, results_on_demand, run_on_demand
from alignbench.tui.scores.panel_scores import PanelScores
from alignbench.tui.scores.recovery_view import recovery_lines
from alignbench.tui.scores.snapshot import PromptPanel, PromptSpread, Snapshot, take
from alignbench.tui.scores.spread_view import spread_lines
from alignbench.tui.scores.table_view import detail, table_head, table_lines
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel
from alignbench.tui.screen import WorkbenchScreen
from alignbench.tui.styled import faint, tabs
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.metric_rows import MetricRow, rows

T = TypeVar("T")
ScoresTab = Literal["table", "recovery", "spread", "answers", "matrix", "branching"]
TITLES: dict[ScoresTab, str] = {
    "table": "table",
    "recovery": "recovery",
    "spread": "prompts",
    "answers": "answers",
    "matrix": "matrix",
    "branching": "branching",
}


class ScoresScreen(WorkbenchScreen[None]):
    """Follows the Bench: scores move here too while samples arrive. What is shown is computed on another thread."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("scores", SCORES)]
    AUTO_FOCUS = None
    HELP = (
        "↑↓ choose a score, ←→ a column; below the view stands what the score means, and why it is missing where it is "
        "a dash. Arrows behind a name say which way is more diverse. The ceiling is the reference against itself, the "
        "floor the only base column without a context, an impostor an aligned model of another base, greedy the "
        "reference at temperature 0, the null the reference's answers to other prompts. Recovery has the versions of a "
        "column too."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._view: ScoresTab = "table"
        self._row = 0
        self._answer = 0
        self._panel: tuple[Hashable, PromptPanel] | None = None
        self._spread: tuple[Hashable, PromptSpread] | None = None
        self._matrix: tuple[Hashable, ConditionMatrix] | None = None
        self._asked: dict[Hashable, BackgroundJob[Any]] = {}  # the job of each kind that was asked for last
        self._error = ""

    def compose(self) -> ComposeResult:
        yield ScreenTitle()
        with Vertical(id="scores", classes="section -selected"):
            yield SteadyText("", id="columns", markup=False)
            yield LineList(id="view")
        yield SteadyText("", id="detail", classes="section", markup=False)
        yield Keys()

    @property
    def _scores(self) -> PanelScores:
        """What computes this screen, as long as the session is open."""
        workbench = self.workbench
        return workbench.of_session("scores", lambda: PanelScores(workbench.backends, workbench.notify))

    @property
    def _chosen(self) -> MetricRow:
        return self._rows()[self._row]

    def _rows(self) -> list[MetricRow]:
        """The scores that the view shows: all of them, similarities only, or one."""
        if self._view == "matrix":
            return matrix_rows()
        if self._view == "branching":
            return [branching_row()]
        return [row for row in rows() if row.similarity or self._view != "recovery"]

    # computing

    def _view_model(self) -> ScoresViewModel:
        bench, on_demand = self.workbench.bench, self._scores.on_demand
        snapshot = take(bench, self.workbench.bench_scores.version)
        jobs = {
            row.run: job for row in rows() if row.on_demand and (job := job_on_demand(on_demand, row.run, snapshot))
        }
        self._compute(snapshot)
        panel, spread, matrix = self._panel, self._spread, self._matrix
        return ScoresViewModel(
            snapshot=snapshot,
            selected=bench.selected,
            row=self._chosen,
            width=max(40, self.size.width),
            # Until the next numbers are there, those of a moment ago stand, if they are of these columns.
            panel=panel[1] if panel is not None and panel[0] == _subject(snapshot) else None,
            spread=spread[1] if spread is not None and spread[0] == _subject(snapshot) else None,
            matrix=matrix[1] if matrix is not None and matrix[0] == _subject(snapshot) else None,
            jobs=jobs,
            answer=self._answer,
            waiting=self._error or "computing …",
        )

    def _compute(self, snapshot: Snapshot) -> None:
        """Take what has been computed, and ask for what has not."""
        if not snapshot.conditions:
            return
        scores, why, row = self._scores, self._no_embeddings(), self._chosen
        outcomes, subject = results_on_demand(scores.on_demand, snapshot), _subject(snapshot)
        if self._view == "matrix":
            matrix = self._newest(("matrix", subject, row), lambda: scores.matrix(snapshot, row.metric.name))
            if matrix is not None:
                self._matrix = (subject, matrix)
            if self._is_asked(("matrix", subject, row)):
                return
        if self._view in ("spread", "branching") and not row.on_demand:
            spread = self._newest(("spread", subject, row), lambda: scores.spread(snapshot, row, why))
            if spread is not None:
                self._spread = (subject, spread)
            if self._is_asked(("spread", subject, row)):
                return
        panel = self._newest(("panel", subject), lambda: scores.panel(snapshot, why, outcomes, exact=False))
        if panel is not None:
            self._panel = (subject, panel)
        if self._is_asked(("panel", subject)) or snapshot.running:
            return
        exact = self._newest(("exact", subject), lambda: scores.panel(snapshot, why, outcomes, exact=True))
        if exact is not None:
            self._panel = (subject, exact)

    def _newest(self, kind: Hashable, ask: Callable[[], BackgroundJob[T]]) -> T | None:
        """The newest result of a kind. A job that is at work is waited for before the next one is asked for, so that
        numbers move also where samples come faster than they are computed."""
        before = self._asked.get(kind)
        if before is not None and before.running:
            return None
        job = self._asked[kind] = ask()
        self._error = job.error
        return job.result if job.result is not None or before is None else before.result

    def _is_asked(self, kind: Hashable) -> bool:
        return self._asked[kind].running

    def _no_embeddings(self) -> dict[str, str]:
        """Why vectors that are missing will not come, by column: what the scores on the Bench say."""
        table = self.workbench.table
        scores = (table.within or {}).get("embedding_diversity", ())
        return {name: score.reason for name, score in zip(table.names, scores, strict=False) if score.reason}

    # showing

    def follow(self) -> None:
        model = self._view_model()
        self.query_one(ScreenTitle).show("Scores", self.workbench.bench.prompt.text)
        self.query_one("#scores").border_title = tabs(TITLES, self._view)
        head = table_head(model) if self._view == "table" and model.names else []
        self.query_one("#columns", SteadyText).update(Content("\n").join(head))
        self.query_one("#columns").display = bool(head)
        lines, cursor = self._drawn(model)
        self.query_one(LineList).show(lines, cursor)
        about = self._about(model)
        self.query_one("#detail", SteadyText).update(Content("\n").join(about))
        self.query_one("#detail").display = bool(about)
        self.refresh_bindings()

    def _about(self, model: ScoresViewModel) -> list[Content]:
        """What stands below the view; the matrix has its own numbers, over all prompts."""
        if self._view == "answers":
            return []
        if self._view == "matrix":
            return [faint(text) for text in model.row.help()]
        return detail(model, bar=self._view == "table")

    def _drawn(self, model: ScoresViewModel) -> Drawn:
        if not model.names:
            return [Content(" There is no column. a on the Bench adds one.")], (0, 1)
        match self._view:
            case "table":
                return table_lines(model)
            case "recovery":
                return recovery_lines(model)
            case "spread":
                return spread_lines(model)
            case "answers":
                return answer_lines(model)
            case "matrix":
                return matrix_lines(model)
            case "branching":
                return branching_lines(model)

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "run_score":
            return self._view != "answers" and self._chosen.on_demand
        if action == "give_up":
            return self._scores.on_demand.running
        if action == "view":
            return self._view == "answers"
        return True

    # keys

    def action_view_table(self) -> None:
        self._show("table")

    def action_view_recovery(self) -> None:
        self._show("recovery")

    def action_view_spread(self) -> None:
        self._show("spread")

    def action_view_answers(self) -> None:
        self._show("answers")

    def action_view_matrix(self) -> None:
        self._show("matrix")

    def action_view_branching(self) -> None:
        self._show("branching")

    def _show(self, view: ScoresTab) -> None:
        chosen = self._chosen
        self._view = view
        listed = self._rows()
        self._row = listed.index(chosen) if chosen in listed else 0
        self.query_one(LineList).scroll_home(animate=False)
        self.follow()

    def action_row_up(self) -> None:
        self._move(-1)

    def action_row_down(self) -> None:
        self._move(1)

    def action_to_start(self) -> None:
        self._move(-sys.maxsize)
        super().action_to_start()

    def action_to_end(self) -> None:
        self._move(sys.maxsize)
        super().action_to_end()

    def _move(self, by: int) -> None:
        if self._view == "answers":
            self._answer = max(0, min(len(answers(self._view_model())) - 1, self._answer + by))
        else:
            self._row = max(0, min(len(self._rows()) - 1, self._row + by))
        self.follow()

    def panes(self) -> Iterable[Pane]:
        return self.query(LineList)

    def action_run_score(self) -> None:
        model = self._view_model()
        if not model.snapshot.prompt_id:
            self.tell("There is no finished sample of this prompt yet: F5 on the Bench draws some.", "warning")
        elif model.row.judged:
            self._judge(model)
        else:
            run_on_demand(self._scores.on_demand, self.workbench.backends, model.row.run, model.snapshot)
        self.follow()

    @work
    async def _judge(self, model: ScoresViewModel) -> None:
        """Ask for a judge, then judge."""
        from alignbench.tui.dialogs.judge import ask_for_judge

        judge = await ask_for_judge(self, self.workbench, model.row.run)
        if judge is not None:
            run_on_demand(self._scores.on_demand, self.workbench.backends, model.row.run, model.snapshot, judge)
            self.follow()

    @work
    async def action_own_score(self) -> None:
        """Ask for a function, add its score, choose it and run it."""
        from alignbench.own_metrics.registration import registered, unknown

        written = await self.app.push_screen_wait(
            LineScreen(
                "A score of your own: FILE.py:FUNCTION", "", empty="Name a function, or press Esc.", asked="path"
            )
        )
        if written is None:
            return
        try:
            (name,) = await asyncio.to_thread(registered, [written], None, "A score of your own")
            if name not in METRICS:
                raise unknown(name, where="A score of your own")
        except AlignbenchError as error:
            self.tell(str(error), "error")
            return
        self._view = "table"
        self._row = next((at for at, row in enumerate(self._rows()) if row.metric.name == name), self._row)
        if self._chosen.on_demand and not self._chosen.judged:
            self.action_run_score()
        self.follow()

    def action_give_up(self) -> None:
        self._scores.on_demand.cancel()
        self.follow()

    def action_investigation(self) -> None:
        self.post_message(Open("investigation"))

    def action_view(self) -> None:
        clusters = answers(self._view_model())
        if self._answer < len(clusters):
            chosen = clusters[self._answer]
            self.workbench.bench.cursor = chosen.samples[0]
            self.select(chosen.column)
            self.post_message(Open("viewer"))


def _subject(snapshot: Snapshot) -> Hashable:
    """What numbers are of: they may be shown a moment longer as long as this is the same."""
    return snapshot.prompt, snapshot.conditions, snapshot.roles
