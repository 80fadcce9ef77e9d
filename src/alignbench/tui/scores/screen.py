"""All scores of the prompt on the Bench, in four views: table, recovery, spread over prompts, distinct answers."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from alignbench.tui.action import bindings
from alignbench.tui.scores.actions import SCORES
from alignbench.tui.scores.answers_view import answer_lines, answers
from alignbench.tui.scores.metric_rows import MetricRow, rows
from alignbench.tui.scores.recovery_view import recovery_lines
from alignbench.tui.scores.snapshot import PromptPanel, PromptSpread, Snapshot, prompt_panel, spread, take
from alignbench.tui.scores.spread_view import spread_lines
from alignbench.tui.scores.table_view import detail, table_head, table_lines
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel
from alignbench.tui.text import one_line
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from alignbench.tui.bench.screen import BenchScreen
    from alignbench.tui.scores.worker import PanelWorker

ScoresTab = Literal["table", "recovery", "spread", "answers"]
TITLES: dict[ScoresTab, str] = {"table": "table", "recovery": "recovery", "spread": "prompts", "answers": "answers"}


class ScoresScreen(Screen[None]):
    """Follows the Bench: scores move here too while samples arrive. What is shown is computed on another thread."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("scores", SCORES)]
    AUTO_FOCUS = None
    HELP = (
        "↑↓ choose a score, ←→ a column; below the view stands what the score means, and why it is missing where it is "
        "a dash. Arrows behind a name say which way is more diverse. The ceiling is the reference against itself, the "
        "floor the only base column without a context, an impostor another aligned model, greedy the reference at "
        "temperature 0, the null the reference's answers to other prompts. Recovery has the versions of a column too."
    )

    def __init__(self, bench: BenchScreen) -> None:
        super().__init__()
        self._bench = bench
        self._view: ScoresTab = "table"
        self._row = 0
        self._answer = 0
        self._panel: tuple[Hashable, PromptPanel] | None = None
        self._spread: tuple[Hashable, PromptSpread] | None = None
        self._error = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="heading", markup=False)
        yield Static("", id="prompt-line", markup=False)
        yield Static("", id="columns", markup=False)
        yield LineList(id="view")
        yield Static("", id="detail", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self._bench.changed.subscribe(self, self._update)

    def on_resize(self) -> None:
        self._update()

    @property
    def _chosen(self) -> MetricRow:
        return self._rows()[self._row]

    def _rows(self) -> list[MetricRow]:
        """The scores that the view shows: all of them, or similarities only."""
        return [row for row in rows() if row.similarity or self._view != "recovery"]

    # computing

    def _scene(self) -> ScoresViewModel:
        workbench, bench = self._bench.workbench, self._bench.bench
        snapshot = take(bench, workbench.version)
        demands = workbench.panel().demands
        jobs = {row.run: job for row in rows() if row.on_demand and (job := demands.job(row.run, snapshot)) is not None}
        self._compute(snapshot)
        found, over = self._panel, self._spread
        return ScoresViewModel(
            snapshot=snapshot,
            selected=bench.selected,
            row=self._chosen,
            width=max(40, self.size.width),
            # Until the next numbers are there, those of a moment ago stand, if they are of these columns.
            panel=found[1] if found is not None and found[0] == _subject(snapshot) else None,
            spread=over[1] if over is not None and over[0] == _subject(snapshot) else None,
            jobs=jobs,
            answer=self._answer,
            waiting=self._error or "computing …",
        )

    def _compute(self, snapshot: Snapshot) -> None:
        """Take what has been computed, and ask for what has not."""
        if not snapshot.conditions:
            return
        worker, why = self._bench.workbench.panel(), self._no_embeddings()
        outcomes = worker.demands.outcomes(snapshot)
        subject, row = _subject(snapshot), self._chosen
        done = tuple((what, id(outcome)) for what, outcome in outcomes.items())

        def ask(want: Hashable, what: Any) -> Any:
            result = worker.ask(want, what)
            self._error = str(result) or type(result).__name__ if isinstance(result, Exception) else ""
            return None if isinstance(result, Exception) else result

        plain = ask(("panel", snapshot.key, done), partial(_panel, snapshot, why, outcomes, False, worker))
        if plain is None:
            return
        self._panel = (subject, plain)
        if self._view == "spread" and not row.on_demand:
            over = ask(("spread", snapshot.key, row), partial(_spread, snapshot, row, why))
            if over is None:
                return
            self._spread = (subject, over)
        if not snapshot.running:
            exact = ask(("exact", snapshot.key, done), partial(_panel, snapshot, why, outcomes, True, worker))
            self._panel = (subject, exact) if exact is not None else self._panel

    def _no_embeddings(self) -> dict[str, str]:
        """Why vectors that are missing will not come, by column: what the scores on the Bench say."""
        table = self._bench.table
        scores = (table.within or {}).get("embedding_diversity", ())
        return {name: score.reason for name, score in zip(table.names, scores, strict=False) if score.reason}

    # showing

    def _update(self, _: None = None) -> None:
        scene = self._scene()
        tabs = [(f" {at} {title} ", "reverse" if view == self._view else "") for at, (view, title) in _TABS]
        self.query_one("#heading", Static).update(Content.assemble(" Scores  ", *tabs), layout=False)
        prompt = one_line(self._bench.bench.prompt.text, (1 if scene.narrow else 2) * scene.width - 4)
        self.query_one("#prompt-line", Static).update(Content(prompt))
        head = table_head(scene) if self._view == "table" and scene.names else []
        self.query_one("#columns", Static).update(Content("\n").join(head))
        self.query_one("#columns").display = bool(head)
        lines, cursor = self._drawn(scene)
        self.query_one(LineList).show(lines, cursor)
        about = detail(scene, bar=self._view == "table") if self._view != "answers" else []
        self.query_one("#detail", Static).update(Content("\n").join(about))
        self.query_one("#detail").display = bool(about)
        self.refresh_bindings()

    def _drawn(self, scene: ScoresViewModel) -> Drawn:
        if not scene.names:
            return [Content(" There is no column. a on the Bench adds one.")], (0, 1)
        match self._view:
            case "table":
                return table_lines(scene)
            case "recovery":
                return recovery_lines(scene)
            case "spread":
                return spread_lines(scene)
            case "answers":
                return answer_lines(scene)

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "run_score":
            return self._view != "answers" and self._chosen.on_demand
        if action == "give_up":
            return self._bench.workbench.panel().demands.running
        if action == "view":
            return self._view == "answers"
        return True

    # keys

    def action_back(self) -> None:
        self.dismiss(None)

    def action_view_table(self) -> None:
        self._show("table")

    def action_view_recovery(self) -> None:
        self._show("recovery")

    def action_view_spread(self) -> None:
        self._show("spread")

    def action_view_answers(self) -> None:
        self._show("answers")

    def _show(self, view: ScoresTab) -> None:
        chosen = self._chosen
        self._view = view
        listed = self._rows()
        self._row = listed.index(chosen) if chosen in listed else 0
        self.query_one(LineList).scroll_home(animate=False)
        self._update()

    def action_row_up(self) -> None:
        self._move(-1)

    def action_row_down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        if self._view == "answers":
            self._answer = max(0, min(len(answers(self._scene())) - 1, self._answer + by))
        else:
            self._row = max(0, min(len(self._rows()) - 1, self._row + by))
        self._update()

    async def action_column_left(self) -> None:
        await self._bench.action_column_left()

    async def action_column_right(self) -> None:
        await self._bench.action_column_right()

    def action_page_up(self) -> None:
        self.query_one(LineList).page(-1)

    def action_page_down(self) -> None:
        self.query_one(LineList).page(1)

    def action_run_score(self) -> None:
        scene = self._scene()
        if not scene.snapshot.prompt_id:
            self.notify("There is no finished sample of this prompt yet.", severity="warning", markup=False)
        elif scene.row.judged:
            self._judge(scene)
        else:
            self._bench.workbench.panel().demands.run(scene.row.run, scene.snapshot)
        self._update()

    @work
    async def _judge(self, scene: ScoresViewModel) -> None:
        """Ask for a judge, then judge."""
        from alignbench.tui.dialogs.judge import asked_judge

        judge = await asked_judge(self.app, self._bench.workbench, scene.row.run)
        if judge is not None:
            self._bench.workbench.panel().demands.run(scene.row.run, scene.snapshot, judge)
            self._update()

    def action_give_up(self) -> None:
        self._bench.workbench.panel().demands.cancel()
        self._update()

    def action_investigation(self) -> None:
        from alignbench.tui.investigation.screen import InvestigationScreen

        self.app.push_screen(InvestigationScreen(self._bench))

    async def action_view(self) -> None:
        found = answers(self._scene())
        if self._answer < len(found):
            answer = found[self._answer]
            self._bench.cursor = answer.samples[0]
            await self._bench.choose(answer.column)
            self._bench.action_view()


_TABS = tuple(enumerate(TITLES.items(), start=1))


def _subject(snapshot: Snapshot) -> Hashable:
    """What numbers are of: they may be shown a moment longer as long as this is the same."""
    return snapshot.prompt, snapshot.conditions, snapshot.roles


def _panel(
    snapshot: Snapshot, why: dict[str, str], outcomes: Any, exact: bool, worker: PanelWorker, board: Any
) -> PromptPanel:
    return prompt_panel(board, snapshot, why, outcomes, worker.hints(snapshot), exact)


def _spread(snapshot: Snapshot, row: MetricRow, why: dict[str, str], board: Any) -> PromptSpread:
    return spread(board, snapshot, row, why)
