"""The session that is open: what the screens show, and what keys do to it. It knows no widget."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alignbench.errors import AlignbenchError, InputError
from alignbench.heap import trim_heap
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.bench_scores import BenchScores
from alignbench.tui.workbench.cell import BenchCell
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.comparison_values import ScoreTable
from alignbench.tui.workbench.draw_progress import RunsUnderWay
from alignbench.tui.workbench.job_cache import JobCache
from alignbench.tui.workbench.notice import Notice
from alignbench.tui.workbench.preparer_thread import ContextPreparerThread
from alignbench.tui.workbench.run_threads import Ended, Runs
from alignbench.tui.workbench.sample_scope import Offer, offers, scopes
from alignbench.tui.workbench.state import Bench, SamplePlace
from alignbench.tui.workbench.store_thread import StoreThread

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.experiments.plan import Plan
    from alignbench.spec import Model, Prompt
    from alignbench.store import LastSession, Note, SampleRow, Store
    from alignbench.tui.workbench.comparison_values import ReferenceComparison

T = TypeVar("T")
QUIT_WAIT = 4.0  # seconds that cancelled samples get to reach the database before the app leaves


class Workbench:
    """Bench, database, runs and scores of the session that is open; screens watch it.

    Attributes:
        bench: What the screens show.
        whole: Whether samples are shown whole, or only as much as fits.
        table: The scores of the prompt on the screen, as they were at the last change.
        backends: What models are run with.
        database: The thread of the session database.
        bench_scores: The scores of the session.
        model_jobs: What models were asked about texts; kept while the app runs.
        judge: The model that judged last.
        loaded: Names of models that have been loaded.
        folder: Where a file was written last.
        last: The session that was worked on last, until one is open or begun.
    """

    def __init__(self, db: Path, pool: EnginePool, embed: EmbedPool | None, notify: Callable[[], None]) -> None:
        """
        Args:
            db: The session database.
            pool: The engines.
            embed: Embeddings, where there are any.
            notify: Called from other threads when there are events to take or scores to read; it must not block.
        """
        self.bench = Bench()
        self.whole = False
        self.table = ScoreTable()
        self.backends = Backends(db, pool, embed)
        self.database = StoreThread(db, on_damage=notify)
        self.bench_scores = BenchScores(self.backends, notify)
        self.model_jobs = JobCache(notify)
        self.judge = ""
        self.loaded: set[str] = set()
        self.last: LastSession | None = None
        self.folder = Path()
        self.notify = notify
        self._runs = Runs(db, pool, embed, notify, self.bench_scores.add)
        self._of_session: dict[str, Any] = {}
        self._watchers: list[Callable[[], None]] = []
        self._starting = asyncio.Lock()
        self._under_way = RunsUnderWay()

    # watching

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have it called, in the app's thread, after each change."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        self._watchers.remove(watcher)

    def changed(self, *, scores: bool = True) -> None:
        """Tell those who watch that something is not what it was; scores: also the scores may be others."""
        if scores:
            self.table = self.scores()
        for watcher in list(self._watchers):
            watcher()

    # sampling

    @property
    def busy(self) -> bool:
        return bool(self._under_way) or self._runs.active or self.bench.busy

    @property
    def seconds(self) -> float:
        """How long sampling has been going on, or took."""
        return self._under_way.seconds

    @property
    def set_state(self) -> str:
        """How far the runs over several prompts are, in words; empty where there is none."""
        return self._under_way.set_words

    async def offers(self, columns: Sequence[Column]) -> list[Offer]:
        """What can be drawn in these columns, as the database has it now."""
        found, session = scopes(self.bench), self.bench.session
        if not self.backends.db.exists():
            return offers(None, None, found, columns)
        return await self.database.run(lambda store: offers(store, session, found, columns))

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
        terms = await self.draw(idle, [prompt])
        return terms if terms is not None else "Every column has its samples. r draws new ones, + five more."

    async def draw(self, columns: Sequence[Column], prompts: Sequence[Prompt]) -> str | None:
        """Draw what is missing of these cells, be they on the Bench or not, but for those that are being sampled; terms
        of the models that are used for the first time, None where nothing is missing."""
        from alignbench.tui.workbench.run_events import begin

        bench, cancels = self.bench, self._runs.cancels
        prompts = list({prompt.key: prompt for prompt in bench.as_asked(prompts)}.values())
        grid = {(prompt.key, column.hash): bench.cell(column, prompt) for column in columns for prompt in prompts}
        cells = {key: cell for key, cell in grid.items() if not cell.busy}
        names = {column.hash: column.condition.model.name for column in columns}
        for (_, condition), cell in cells.items():
            cell.status, cell.model = "starting", names[condition]
        try:
            plan = await self._plan(columns, prompts)
        except BaseException:
            for cell in cells.values():
                cell.status = "idle"
            raise
        known = {prompt.key for prompt in bench.asked}
        bench.asked += [prompt for prompt in prompts if prompt.key not in known]
        asked = [planned for planned in plan.cells if (planned.prompt.key, planned.condition.hash) in cells]
        missing = tuple(planned for planned in asked if planned.missing)
        running = replace(plan, cells=missing)
        for planned in asked:
            cell = cells[planned.prompt.key, planned.condition.hash]
            begin(cell, planned.id, planned.missing)
            if planned.missing:
                cell.plan = running
            else:
                cell.status = "idle"
        if not missing:
            return None
        self._under_way.begin(running, len(asked) - len(missing), stopped=cancels != self._runs.cancels)
        self._runs.start(running, cancels)
        return await asyncio.to_thread(_terms, [planned.condition.model for planned in missing])

    async def _plan(self, columns: Sequence[Column], prompts: Sequence[Prompt]) -> Plan:
        bench = self.bench
        async with self._starting:  # a second key press must not make a second session
            view, reference, session = persistence.layout(bench), bench.reference, bench.session
            sets = persistence.pools(bench)

            def work(store: Store) -> tuple[Plan, str]:
                from alignbench.experiments.plan import Plan, make_plan

                number = session
                with store.together():  # what is refused leaves no session
                    if number is None:
                        number = store.create_session(reference=reference)
                    persistence.save(store, number, view, reference, sets)
                    with store.naming(number):
                        persistence.free_names(store, number, [column.condition for column in columns])
                        cells = [
                            cell
                            for column in columns
                            for cell in make_plan(store, number, prompts, [column.condition], column.n).cells
                        ]
                    return Plan(number, tuple(cells)), store.session(number).name

            plan, name = await self.database.run(work)
            bench.session, bench.name = plan.session, name
            return plan

    @property
    def can_cancel_sample(self) -> bool:
        sample = self.bench.sample
        return sample is not None and sample.status in ("waiting", "running")

    def cancel_sample(self) -> None:
        """Cancel the selected sample."""
        if (column := self.bench.column) is not None and (sample := self.bench.sample) is not None:
            self.cancel(self.bench.cell(column), sample.index)

    def cancel(self, cell: BenchCell | None = None, sample: int | None = None) -> None:
        """Cancel a sample, a cell, or everything."""
        if cell is None:
            self._under_way.stop()
            self._runs.cancel()
        elif cell.id is not None:
            self._runs.cancel(cell.id, sample)

    def drain(self) -> list[Notice]:
        """Take what happened since the last call into the bench; messages for the user."""
        events, notices = self._runs.take(), [Notice(line) for line in self.database.take_damage()]
        if not events:
            return notices
        from alignbench.experiments.runner import ModelLoaded
        from alignbench.tui.workbench.run_events import apply_run_event, end

        for event in events:
            if isinstance(event, Ended):
                for cell in self.bench.cells.values():
                    if cell.plan is event.plan:
                        end(cell)
                notices += self._under_way.end(event.plan, event.message)
                continue
            if isinstance(event, ModelLoaded):
                if event.model not in self.loaded:
                    gc.collect()  # what is frozen is never looked through again, were it garbage
                    gc.freeze()  # as at the start of the app: by now all is imported
                self.loaded.add(event.model)
            changed = apply_run_event(self.bench, event)
            if changed is not None:
                notices += self._under_way.take(changed.plan, event)
        return notices

    # what is computed

    def of_session(self, name: str, make: Callable[[], T]) -> T:
        """What a screen has computed, for as long as these conditions and samples are on the Bench; made when it is
        first asked for. It has a method `close`."""
        if name not in self._of_session:
            self._of_session[name] = make()
        return self._of_session[name]

    def scores(self) -> ScoreTable:
        """The scores of the prompt on the screen, as far as they are known."""
        return self.bench_scores.table(self.bench)

    def comparison(self, column: Column, version: int) -> ReferenceComparison:
        """How one version of a column compares with the reference."""
        return self.bench_scores.comparison(self.bench, column, version)

    def preparer(self, report: Callable[[str], None]) -> ContextPreparerThread:
        """Where contexts are prepared while they are edited; whoever asks for it closes it."""
        return ContextPreparerThread(self.backends, self.bench.session, report)

    def _forget_scores(self) -> None:
        for kept in self._of_session.values():
            kept.close()
        self._of_session.clear()
        self.bench_scores.forget()

    # columns

    async def change(self, column: Column | None, to: Column) -> str:
        """Put `to` in the place of a column, or beside the others; what there is to say about it."""
        bench = self.bench
        if column is None or not bench.is_renaming(column, to):
            return bench.change(column, to)
        if to.name in bench.used:
            raise InputError(f"The name {to.name} stands for another condition of this session.")
        if self.busy:
            raise InputError("A column gets another name when nothing is sampled; Esc stops it.")
        bench.check_name(column, to)
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

        def work(store: Store) -> None:
            if store.is_writable:
                persistence.save(store, session, view, reference, sets)

        await self.database.run(work)

    async def look_back(self) -> None:
        """Find the session that was worked on last; one that cannot be read is not offered."""
        from alignbench.store import Store

        def last() -> LastSession | None:
            if not self.database.path.is_file():
                return None
            try:
                with Store.read(self.database.path) as store:
                    return store.last_session()
            except AlignbenchError:
                return None

        self.last = await asyncio.to_thread(last)

    async def open(self, session: int, place: SamplePlace | None = None) -> None:
        """Leave the session that is open and take up another one where it was left, or at a sample."""

        def work(store: Store) -> tuple[Bench, list[SampleRow]]:
            return persistence.restore(store, session)

        bench, rows = await self.database.run(work)
        if place is not None:
            bench.go_to(place)
        await self.save()
        self.begin(bench)
        await self._score_all(sorted(rows, key=lambda row: row.prompt != bench.prompt.text))  # what is seen comes first

    async def _score_all(self, rows: Sequence[SampleRow]) -> None:
        await self.database.run(lambda _: self.bench_scores.add_all(rows))

    def begin(self, bench: Bench) -> None:
        """Show this bench; nothing is written before it is sampled. Raises InputError while another one is sampled."""
        if self.busy:
            raise InputError("Sampling is going on; Esc stops it, then change the session.")
        self._forget_scores()
        self._under_way = RunsUnderWay()
        self.bench, self.last = bench, None
        trim_heap()  # of what the session before needed

    async def renew(self) -> None:
        """Leave the session as it is and begin another one with the same columns."""
        await self.save()
        self.begin(self.bench.renewed())

    async def session_id(self) -> int:
        """The session in the database, made now if it is not there yet (for a note)."""
        async with self._starting:
            bench = self.bench
            if bench.session is None:
                info = await self.database.run(lambda store: store.session(persistence.create(store, bench)))
                bench.session, bench.name = info.id, info.name
            return bench.session

    async def rename(self, session: int, name: str) -> None:
        """Give a session another name."""
        await self.database.run(lambda store: store.rename_session(session, name))
        if session == self.bench.session:
            self.bench.name = name
        if self.last is not None:
            await self.look_back()

    async def delete(self, session: int) -> None:
        """Delete a session. If it is the one that is open, its columns stay, with nothing sampled."""
        await self.database.run(lambda store: store.delete_session(session))
        if session == self.bench.session:
            self.begin(self.bench.renewed())
        if self.last is not None:
            await self.look_back()

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

    return "\n".join(dict.fromkeys(terms(model) for model in models if first_use(model)))
