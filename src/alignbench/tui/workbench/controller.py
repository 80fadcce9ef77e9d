"""The session that is open: what the screens show, and what keys do to it. It knows no widget."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.comparison_values import ScoreTable
from alignbench.tui.workbench.database_thread import DatabaseThread
from alignbench.tui.workbench.run_threads import Ended, Runs
from alignbench.tui.workbench.score_summary import score_table
from alignbench.tui.workbench.state import Bench, BenchCell, Column

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.experiments.plan import Plan
    from alignbench.scoring.live import LiveScores
    from alignbench.spec import Model, Prompt
    from alignbench.store import Note, SampleRow, Store
    from alignbench.tui.context.preparer_thread import ContextPreparerThread
    from alignbench.tui.investigation.study import Investigations
    from alignbench.tui.scores.model_metrics import Backends
    from alignbench.tui.scores.worker import PanelWorker
    from alignbench.tui.workbench.comparison_values import ReferenceComparison
    from alignbench.tui.workbench.model_readings import Readings

QUIT_WAIT = 4.0  # seconds that cancelled samples get to reach the database before the app leaves


class Workbench:
    """Bench, database, runs and scores of the session that is open.

    notify: called from other threads when there are events to take or scores to read; it must not block.
    """

    def __init__(self, db: Path, pool: EnginePool, embed: EmbedPool | None, notify: Callable[[], None]) -> None:
        self.bench = Bench()
        self.database = DatabaseThread(db)
        self._pool = pool
        self._embed = embed
        self._notify = notify
        self._runs = Runs(db, pool, embed, notify, self._score)
        self._scores: LiveScores | None = None
        self._scores_lock = threading.Lock()
        self._scores_moved = False
        self._panel: PanelWorker | None = None
        self._readings: Readings | None = None
        self._investigations: Investigations | None = None
        self.judge = ""  # the model that judged last
        self.version = 0  # grows with every score that moved
        self._starting = asyncio.Lock()
        self._began = 0.0
        self._ended = 0.0
        self.loaded: set[str] = set()  # names of models that have been loaded

    # sampling

    @property
    def busy(self) -> bool:
        return self._runs.active or self.bench.busy

    @property
    def seconds(self) -> float:
        """How long sampling has been going on, or took."""
        return (time.monotonic() if self.busy else self._ended) - self._began if self._began else 0.0

    async def sample(self, columns: Sequence[Column]) -> str:
        """Draw what is missing of the prompt on the screen in these columns; what there is to say, if anything.

        The first call makes the session. Raises AlignbenchError where the database refuses.
        """
        bench, prompt = self.bench, self.bench.prompt
        if not prompt.text.strip():
            raise InputError("The prompt is empty. e writes one, F2 picks one.")
        if not columns:
            raise InputError("There is no column to sample. a adds one.")
        idle = [column for column in columns if not bench.cell(column).busy]
        if not idle:
            return "These columns are being sampled already. Esc stops them."
        terms = await self._start(idle, [prompt])
        return terms if terms is not None else "Every column has its samples. r draws new ones, + five more."

    async def sample_ladder(self, temperatures: Sequence[float]) -> str:
        """Draw the samples of every column at these temperatures too, on all prompts of the session.

        The conditions stand beside those of the columns in the session, not on the Bench.
        """
        from alignbench.tui.investigation.temperatures import rungs

        columns, prompts = rungs(self.bench, temperatures), self.bench.asked or [self.bench.prompt]
        if not columns:
            raise InputError("No column here can be sampled: all responses were imported.")
        if any(self.bench.cell(column, prompt).busy for column in columns for prompt in prompts):
            return "Columns are being sampled already; Esc on the Bench stops them."
        terms = await self._start(columns, prompts)
        return terms if terms is not None else "Every column has its samples at these temperatures."

    async def _start(self, columns: Sequence[Column], prompts: Sequence[Prompt]) -> str | None:
        """Draw what is missing of these cells; terms of the models that are used for the first time, None where
        nothing is missing."""
        from alignbench.tui.workbench.run_events import begin

        bench, cancels = self.bench, self._runs.cancels
        cells = {(prompt.hash, column.hash): bench.cell(column, prompt) for column in columns for prompt in prompts}
        if not self.busy:
            self._began = time.monotonic()
        names = {column.hash: column.condition.model.name for column in columns}
        for (_, condition), cell in cells.items():
            cell.status, cell.model = "starting", names[condition]
        try:
            plan = await self._plan(columns, prompts)
        except BaseException:
            for cell in cells.values():
                cell.status = "idle"
            raise
        bench.asked += [prompt for prompt in prompts if prompt not in bench.asked]
        missing = tuple(planned for planned in plan.cells if planned.missing)
        running = replace(plan, cells=missing)
        for planned in plan.cells:
            cell = cells[planned.prompt.hash, planned.condition.hash]
            begin(cell, planned.id, planned.missing)
            if planned.missing:
                cell.plan = running
            else:
                cell.status = "idle"
        if not missing:
            return None
        self._runs.start(running, cancels)
        return await asyncio.to_thread(_terms, [planned.condition.model for planned in missing])

    async def _plan(self, columns: Sequence[Column], prompts: Sequence[Prompt]) -> Plan:
        bench = self.bench
        async with self._starting:  # a second key press must not make a second session
            view, reference, session = persistence.layout(bench), bench.reference, bench.session
            sets = persistence.pools(bench)
            name = bench.name or persistence.session_name(prompts[0])

            def work(store: Store) -> Plan:
                from alignbench.experiments.plan import Plan, make_plan

                number = session
                if number is None:
                    number = store.create_session(name, reference=reference)
                persistence.save(store, number, view, reference, sets)
                persistence.free_names(store, number, [column.condition for column in columns])
                cells = [
                    cell
                    for column in columns
                    for cell in make_plan(store, number, prompts, [column.condition], column.n).cells
                ]
                return Plan(number, tuple(cells))

            plan = await self.database.run(work)
            bench.session, bench.name = plan.session, name
            return plan

    def cancel(self, cell: BenchCell | None = None, sample: int | None = None) -> None:
        """Cancel a sample, a cell, or everything."""
        if cell is None:
            self._runs.cancel()
        elif cell.id is not None:
            self._runs.cancel(cell.id, sample)

    def drain(self) -> list[str]:
        """Take what happened since the last call into the bench; messages for the user."""
        events = self._runs.take()
        if not events:
            return []
        from alignbench.experiments.runner import ModelLoaded
        from alignbench.tui.workbench.run_events import apply_run_event, end

        messages = []
        for event in events:
            if isinstance(event, Ended):
                for cell in self.bench.cells.values():
                    if cell.plan is event.plan:
                        end(cell)
                if event.message:
                    messages.append(event.message)
                continue
            if isinstance(event, ModelLoaded):
                self.loaded.add(event.model)
                gc.freeze()  # as at the start of the app: by now all is imported
            apply_run_event(self.bench, event)
        if not self.busy:
            self._ended = time.monotonic()
        return messages

    # scores

    def _score(self, row: SampleRow) -> None:
        """Count a sample in; called from the thread of a run, or the database's."""
        with self._scores_lock:
            if self._scores is None:
                from alignbench.scoring.live import LiveScores

                self._scores = LiveScores(self.database.path, self._embed, self._scored)
            scores = self._scores
        scores.add(row)

    def _scored(self) -> None:
        """Called from any thread: scores have changed."""
        self._scores_moved = True
        self.version += 1
        self._notify()

    def scores_moved(self) -> bool:
        """Whether scores changed since the last call."""
        moved, self._scores_moved = self._scores_moved, False
        return moved

    def scores(self) -> ScoreTable:
        """The scores of the prompt on the screen, as far as they are known."""
        from alignbench.tui.workbench.comparison import comparisons

        return replace(score_table(self.bench, self._scores), standings=comparisons(self.bench, self._scores))

    def standing(self, column: Column, version: int) -> ReferenceComparison:
        """How one version of a column compares with the reference."""
        from alignbench.tui.workbench.comparison import comparison_of

        return comparison_of(self.bench, self._scores, column, version)

    def means(self) -> Backends:
        """What scores that run on demand are computed with."""
        from alignbench.tui.scores.model_metrics import Backends

        return Backends(self.database.path, self._pool, self._embed)

    def panel(self) -> PanelWorker:
        """What computes the scores screen, for as long as these conditions and samples are on the Bench."""
        if self._panel is None:
            from alignbench.tui.scores.worker import PanelWorker

            self._panel = PanelWorker(self.means(), self._notify)
        return self._panel

    def investigations(self) -> Investigations:
        """What computes Investigation 1, for as long as this session is open."""
        if self._investigations is None:
            from alignbench.tui.investigation.study import Investigations

            self._investigations = Investigations(self.means(), self._notify)
        return self._investigations

    def readings(self) -> Readings:
        """What models say about samples."""
        if self._readings is None:
            from alignbench.tui.workbench.model_readings import Readings

            self._readings = Readings(self.database.path, self._pool, self._embed, self._notify)
        return self._readings

    def kitchen(self, report: Callable[[str], None]) -> ContextPreparerThread:
        """Where contexts are prepared while they are edited; whoever asks for it closes it."""
        from alignbench.tui.context.preparer_thread import ContextPreparerThread

        return ContextPreparerThread(self.database.path, self._pool, self._embed, self.bench.session, report)

    def _forget_scores(self) -> None:
        if self._panel is not None:
            self._panel.close()
            self._panel = None
        if self._investigations is not None:
            self._investigations.cancel()
            self._investigations = None
        with self._scores_lock:
            scores, self._scores = self._scores, None
        if scores is not None:
            scores.close()

    async def change(self, column: Column | None, to: Column) -> str:
        """Put `to` in the place of a column, or beside the others; what there is to say about it."""
        bench = self.bench
        if column is None or not bench.is_renaming(column, to):
            return bench.change(column, to)
        if to.name in bench.used:
            raise InputError(f"The name {to.name} stands for another condition of this session.")
        if self.busy:
            raise InputError("A column gets another name when nothing is sampled; Esc stops it.")
        if (session := bench.session) is not None:
            old, new = column.name, to.name
            await self.database.run(lambda store: store.rename_condition(session, old, new))
        bench.rename(column, to)
        self._forget_scores()
        samples = [sample for cell in bench.cells.values() for sample in cell.samples.values()]
        await self._score_all([sample.row for sample in samples if sample.row is not None])
        return ""

    # sessions

    async def save(self) -> None:
        """Keep what the app shows, if there is a session to keep it in."""
        bench = self.bench
        if (session := bench.session) is None:
            return
        view, reference, sets = persistence.layout(bench), bench.reference, persistence.pools(bench)
        await self.database.run(lambda store: persistence.save(store, session, view, reference, sets))

    async def open(self, session: int, prompt: str = "") -> None:
        """Leave the session that is open and take up another one where it was left, or at a prompt of this id."""

        def work(store: Store) -> tuple[Bench, list[SampleRow]]:
            return persistence.restore(store, session)

        bench, rows = await self.database.run(work)
        bench.prompt = bench.asked_prompt(prompt)
        await self.save()
        self.begin(bench)
        await self._score_all(sorted(rows, key=lambda row: row.prompt != bench.prompt.text))  # what is seen comes first

    async def _score_all(self, rows: Sequence[SampleRow]) -> None:
        def work(_: Store) -> None:
            for row in rows:
                if row.status == "done":
                    self._score(row)

        await self.database.run(work)

    def begin(self, bench: Bench) -> None:
        """Show this bench; nothing is written before it is sampled. Raises InputError while another one is sampled."""
        if self.busy:
            raise InputError("Sampling is going on; Esc stops it, then change the session.")
        self._forget_scores()
        self._began = self._ended = 0.0
        self.bench = bench

    async def session_id(self) -> int:
        """The session in the database, made now if it is not there yet (for a note)."""
        async with self._starting:
            bench = self.bench
            if (session := bench.session) is None:
                name = bench.name or persistence.session_name(bench.prompt) or "untitled"
                session = await self.database.run(lambda store: persistence.create(store, bench, name))
                bench.session, bench.name = session, name
            return session

    async def rename(self, session: int, name: str) -> None:
        """Give a session another name."""
        await self.database.run(lambda store: store.rename_session(session, name))
        if session == self.bench.session:
            self.bench.name = name

    async def delete(self, session: int) -> None:
        """Delete a session. If it is the one that is open, its columns stay, with nothing sampled."""
        await self.database.run(lambda store: store.delete_session(session))
        if session == self.bench.session:
            self.begin(self.bench.renewed())

    async def notes(self, text: str = "", session: int | None = None) -> list[Note]:
        """The notes of a session, of the open one without its number, after adding one if it is not empty. Only adding
        makes a session."""
        if not text and session is None and self.bench.session is None:
            return []
        number = session if session is not None else await self.session_id()

        def work(store: Store) -> list[Note]:
            if text:
                store.add_note(number, text)
            return store.notes(number)

        return await self.database.run(work)

    async def close(self) -> None:
        """Stop what runs, wait for what finished to be stored, close the database."""
        self.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._runs.wait, QUIT_WAIT)
        self.drain()
        await self.save()
        self._forget_scores()
        await self.database.close()


def _terms(models: Sequence[Model]) -> str:
    """Terms of use of embedded models that are used for the first time."""
    from alignbench.models.catalog import first_use, terms

    return "\n".join({model.reference: terms(model) for model in models if first_use(model)}.values())
