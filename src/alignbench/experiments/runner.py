"""Run a plan: load models, send cells to their engines, store each sample when it finishes, report what happened.

Models run side by side, or one after the other where there is no room for all of them; the cells of one model one
after the other, or as many at a time as its pool has lanes. Iterating over a `Run` does the work in the
caller's thread (which owns the store); engines work in processes of their own and report through a queue.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from alignbench.contexts.rendering import render
from alignbench.engines.protocol import (
    LOAD,
    Capabilities,
    Delta,
    Done,
    EnginePool,
    Event,
    Failed,
    Finished,
    Loaded,
    Loading,
    SampleRequest,
    SampleResult,
    Started,
    TextDeltas,
)
from alignbench.engines.thoughts import ThoughtMarks, answer_alone
from alignbench.errors import AlignbenchError
from alignbench.experiments.cell_content import cell_content, keep_samples
from alignbench.experiments.manifest import loaded_facts
from alignbench.experiments.plan import Plan, PlannedCell
from alignbench.experiments.verbalized import drawn, given_by, schema
from alignbench.models.catalog import no_weights
from alignbench.spec import Model, stream_key
from alignbench.store import SampleRow, Store

FAST_LOOKAHEAD = 64  # cells an engine may have at once in fast mode, where it runs them together


@dataclass(frozen=True, slots=True)
class ModelLoading:
    model: str
    fraction: float
    stage: str = ""  # see protocol.Loading


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    model: str
    capabilities: Capabilities
    seconds: float


@dataclass(frozen=True, slots=True)
class CellPreparing:
    """Examples are selected and hints are made for this cell; see `staged.StagedRun`."""

    cell: PlannedCell


@dataclass(frozen=True, slots=True)
class CellPrepared:
    """The context of this cell is ready."""

    cell: PlannedCell
    notes: tuple[str, ...]  # what a person should know about it


@dataclass(frozen=True, slots=True)
class CellStarted:
    """The prompt of this cell is in the engine's cache; samples follow."""

    cell: PlannedCell
    n_prompt_tokens: int
    n_cached: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TextArrived:
    """New text of samples that are not finished yet. `n_tokens`: tokens drawn since the last such event."""

    cell: PlannedCell
    deltas: tuple[Delta, ...]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class SampleStored:
    """A sample is in the database: done, cancelled or error (see `row.status`)."""

    cell: PlannedCell
    row: SampleRow


@dataclass(frozen=True, slots=True)
class CellFailed:
    """The cell's missing samples are stored as errors with this message, unless they were cancelled.

    Nothing is stored where its model is an imported one, or has other weights than those that drew earlier samples.
    """

    cell: PlannedCell
    message: str


@dataclass(frozen=True, slots=True)
class CellDone:
    cell: PlannedCell


RunEvent = (
    ModelLoading
    | ModelLoaded
    | CellPreparing
    | CellPrepared
    | CellStarted
    | TextArrived
    | SampleStored
    | CellFailed
    | CellDone
)


class Run:
    """One pass over a plan. Iterate over it once; `cancel` may be called from any thread meanwhile."""

    def __init__(self, plan: Plan, pool: EnginePool, store: Store) -> None:
        self.plan = plan
        self._pool = pool
        self._store = store
        self._inbox: queue.Queue[tuple[Model, Event] | None] = queue.Queue()
        self._waiting: dict[Model, deque[PlannedCell]] = {}
        self._crowded: dict[Model, set[Model]] = {}  # models that found no room -> those that were at work then
        self._running: dict[int, PlannedCell] = {}  # request key -> cell
        self._unfinished: dict[int, dict[int, list[str]]] = {}  # request key -> texts of samples that have not ended
        self._thoughts: dict[int, ThoughtMarks | None] = {}  # request key -> where thoughts stand in its responses
        self._lock = threading.Lock()
        self._cancelled_cells: set[int] = set()
        self._dropped: set[int] = set()  # cancelled cells that no longer wait
        self._cancelled = False
        self._finishing = False

    def finish(self) -> None:
        """Begin no further cell; those that run go on to their end. May be called from any thread."""
        with self._lock:
            self._finishing = True
        self._inbox.put(None)

    def cancel(self, cell_id: int | None = None, sample: int | None = None) -> None:
        """Cancel a sample, a cell, or everything.

        Running samples are kept as cancelled; waiting cells are not begun.
        """
        with self._lock:
            if cell_id is None:
                self._cancelled = True
            elif sample is None:
                self._cancelled_cells.add(cell_id)
            running = [(key, cell) for key, cell in self._running.items() if cell_id in (None, cell.id)]
            waiting = [model for model, cells in self._waiting.items() if cells and cell_id is None]
        for model in waiting:
            if self._pool.capabilities(model) is None:
                self._pool.cancel(model, LOAD)
        for key, cell in running:
            samples = None if sample is None else drawn(cell.condition.context, (sample,))
            self._pool.cancel(cell.condition.model, key, samples)
        self._inbox.put(None)

    def __iter__(self) -> Iterator[RunEvent]:
        for cell in self.plan.cells:
            if cell.missing and cell.condition.model.is_imported:
                # Nothing is stored: the error that came with the import says more than this one.
                yield CellFailed(cell, no_weights(cell.condition.model.reference))
            elif cell.missing:
                self._waiting.setdefault(cell.condition.model, deque()).append(cell)
            else:
                yield CellDone(cell)
        for model in list(self._waiting):
            self._load(model)
        while self._running or any(self._waiting.values()):
            item = self._inbox.get()
            if item is not None:
                yield from self._handle(*item)
            yield from self._drop_cancelled()
            self._load_crowded()

    def _sink(self, model: Model) -> _InboxSink:
        return _InboxSink(model, self._inbox)

    def _handle(self, model: Model, event: Event) -> Iterator[RunEvent]:
        match event:
            case Loading():
                yield ModelLoading(model.name, event.fraction, event.stage)
            case Loaded():
                before = self._store.model_file_hash(self.plan.session, model.reference)
                now = event.capabilities.file_hash
                if before and now and before != now:
                    for cell in self._take_waiting(model):
                        yield CellFailed(cell, _replaced(model, before, now))
                    return
                self._store.set_model_file_hash(self.plan.session, model.reference, now)
                self._store.note_loaded(self.plan.session, model.reference, loaded_facts(event.capabilities))
                yield ModelLoaded(model.name, event.capabilities, event.seconds)
                yield from self._begin_next(model)
            case Failed(key=0) if event.crowded and (busy := self._at_work() - {model}):
                self._crowded[model] = busy
            case Failed(key=0):
                for cell in self._take_waiting(model):
                    yield from self._fail(cell, set(cell.missing), event.message)
            case Started():
                cell = self._running[event.key]
                self._store.set_prompt_ids(cell.id, event.prompt_ids)
                yield CellStarted(cell, len(event.prompt_ids), event.n_cached, event.seconds)
            case TextDeltas():
                for delta in event.deltas:
                    self._unfinished[event.key].get(delta.sample, []).append(delta.text)
                yield _arrived(self._running[event.key], event)
            case Finished():
                yield from self._keep(event.key, event.result)
            case Failed():
                for result in event.broken:
                    yield from self._keep(event.key, result)
                cell, unfinished = self._end(event.key)
                if self._is_cancelled(cell):
                    yield from self._break_off(cell, unfinished, event.message)
                else:
                    yield from self._fail(cell, set(unfinished), event.message)
                # The worker may be gone: loading again answers at once if it is not.
                if self._waiting[model]:
                    self._load(model)
            case Done():
                cell, _ = self._end(event.key)
                yield CellDone(cell)
                yield from self._begin_next(model)

    def _keep(self, key: int, result: SampleResult) -> Iterator[RunEvent]:
        cell = self._running[key]
        for row in keep_samples(self._store, self.plan.session, cell, answer_alone(result, self._thoughts[key])):
            self._unfinished[key].pop(row.sample, None)
            yield SampleStored(cell, row)

    def _at_work(self) -> set[Model]:
        """Models that have cells to do and found room."""
        running = {cell.condition.model for cell in self._running.values()}
        return running | {model for model, waiting in self._waiting.items() if waiting and model not in self._crowded}

    def _load_crowded(self) -> None:
        """Try again for the models that found no room, once one that was at work is not any more."""
        if not self._crowded:
            return
        busy = self._at_work()
        for model, before in list(self._crowded.items()):
            if before - busy - self._crowded.keys():
                del self._crowded[model]
                self._load(model)

    def _load(self, model: Model) -> None:
        with self._lock:
            stopped = self._cancelled or self._finishing
        if not stopped:
            self._pool.load(model, self._sink(model))

    def _is_cancelled(self, cell: PlannedCell) -> bool:
        with self._lock:
            return self._cancelled or cell.id in self._cancelled_cells

    def _n_running(self, model: Model) -> int:
        return sum(cell.condition.model == model for cell in self._running.values())

    def _end(self, key: int) -> tuple[PlannedCell, dict[int, list[str]]]:
        with self._lock:
            self._thoughts.pop(key)
            return self._running.pop(key), self._unfinished.pop(key)

    def _begin_next(self, model: Model) -> Iterator[RunEvent]:
        """Send the next waiting cells of a loaded model to it; a cell that cannot be rendered fails alone."""
        capabilities = self._pool.capabilities(model)
        if capabilities is None:  # the worker died since it was loaded
            self._load(model)
            return
        while self._waiting[model]:
            with self._lock:
                cell = self._waiting[model][0]
                if self._cancelled or self._finishing or cell.id in self._cancelled_cells:
                    return
                lanes = FAST_LOOKAHEAD if cell.condition.mode == "fast" else capabilities.lanes
                if self._n_running(model) >= lanes:
                    return
                self._waiting[model].popleft()
            condition = cell.condition
            try:
                content = cell_content(self._store, cell)
                rendered = render(cell.prompt, condition.context, capabilities, content)
            except AlignbenchError as error:
                yield from self._fail(cell, set(cell.missing), str(error))
                continue
            self._store.set_rendered(cell.id, rendered.text)
            key = self._pool.new_key()
            request = SampleRequest(
                key=key,
                context=rendered.context,
                query=rendered.query,
                sampling=condition.sampling,
                stops=(*rendered.stops, *condition.sampling.stop),
                samples=drawn(condition.context, cell.missing),
                seed=condition.seed,
                stream=stream_key(cell.prompt.hash, condition.hash),
                mode=condition.mode,
                passes=rendered.passes,
                messages=rendered.messages,
                schema=schema(condition.context.verbalized) if condition.context.verbalized else "",
                thinking_end=rendered.thoughts.end if rendered.thoughts else "",
            )
            with self._lock:
                self._thoughts[key] = rendered.thoughts
                self._running[key] = cell
                self._unfinished[key] = {sample: [] for sample in cell.missing}
            self._pool.sample(model, request, self._sink(model))
            if self._is_cancelled(cell):  # since it was taken from those that wait
                self._pool.cancel(model, key)

    def _fail(self, cell: PlannedCell, samples: set[int], message: str) -> Iterator[RunEvent]:
        for sample in sorted(samples):
            yield SampleStored(cell, self._store.add_error(cell.id, sample, message))
        yield CellFailed(cell, message)

    def _break_off(self, cell: PlannedCell, unfinished: dict[int, list[str]], message: str) -> Iterator[RunEvent]:
        """The engine failed after it was told to cancel: what is known of the samples is kept, and none is an error."""
        if not cell.condition.context.verbalized:  # there the text is that of several samples
            for sample, pieces in unfinished.items():
                if pieces:
                    text = "".join(pieces)
                    row = self._store.add_text(
                        cell.id, sample, text, raw_text=text, finish_reason="cancelled", note=message
                    )
                    yield SampleStored(cell, row)
        yield CellFailed(cell, message)

    def _take_waiting(self, model: Model) -> list[PlannedCell]:
        cells = list(self._waiting[model])
        self._waiting[model].clear()
        return cells

    def _drop_cancelled(self) -> Iterator[RunEvent]:
        """Waiting cells that were cancelled end here, with nothing stored for them."""
        with self._lock:
            everything, cells = self._cancelled or self._finishing, set(self._cancelled_cells)
        if not (everything or cells - self._dropped):
            return
        self._dropped |= cells
        for model, waiting in self._waiting.items():
            dropped = [cell for cell in waiting if everything or cell.id in cells]
            self._waiting[model] = deque(cell for cell in waiting if not (everything or cell.id in cells))
            yield from (CellDone(cell) for cell in dropped)


def _arrived(cell: PlannedCell, event: TextDeltas) -> TextArrived:
    """Text of a generation that gives several samples is shown at the first of them that is missing."""
    context, deltas = cell.condition.context, event.deltas
    if context.verbalized:
        deltas = tuple(replace(delta, sample=given_by(context, delta.sample, cell.missing)[0]) for delta in deltas)
    return TextArrived(cell, deltas, event.n_tokens)


def _replaced(model: Model, before: str, now: str) -> str:
    return (
        f"The weights of {model.name} were replaced: this session's samples were drawn with SHA-256 {before}, "
        f"the file now has {now}. Put the old file back, or begin a new session."
    )


@dataclass(frozen=True, slots=True)
class _InboxSink:
    """Puts a model's events into the run's inbox; called from the pool's threads."""

    model: Model
    inbox: queue.Queue[tuple[Model, Event] | None]

    def __call__(self, event: Event) -> None:
        self.inbox.put((self.model, event))
