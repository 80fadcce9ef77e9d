"""Runs in which the context of one condition is made of samples of another: teachers come first."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from alignbench.contexts.source_samples import needed_conditions
from alignbench.engines.cancellable_pool import CancellablePool
from alignbench.engines.protocol import EmbedPool, EnginePool
from alignbench.errors import AlignbenchError
from alignbench.experiments.cell_content import is_prepared
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import Plan, PlannedCell
from alignbench.experiments.runner import CellDone, CellFailed, CellPrepared, CellPreparing, Run, RunEvent, SampleStored
from alignbench.store import Store


class StagedRun:
    """A pass over a plan as `runner.Run` makes it, but for contexts, which are prepared before their cells are sampled.

    Iterate over it once; `cancel` and `finish` may be called from any thread meanwhile. What was prepared is stored and
    used again, so that a resumed run gives its prompts the examples and hints that they had.
    """

    def __init__(self, plan: Plan, pool: EnginePool, store: Store, embed: EmbedPool | None) -> None:
        """embed: selects nearest examples; a run whose contexts have none needs no embedding model."""
        self.plan = plan
        self._pool, self._store = pool, store
        self._questions = CancellablePool(pool, embed)  # of the preparer
        self._preparer = Preparer(store, self._questions, plan.session, self._questions if embed else None)
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._stopped = False
        self._cancelled_cells: set[int] = set()

    def finish(self) -> None:
        """Begin no further cell; those that run go on to their end."""
        with self._lock:
            self._stopped = True
            if self._run is not None:
                self._run.finish()

    def cancel(self, cell_id: int | None = None, sample: int | None = None) -> None:
        """Cancel a sample, a cell, or everything; see `runner.Run.cancel`."""
        with self._lock:
            if cell_id is None:
                self._stopped = True
            elif sample is None:
                self._cancelled_cells.add(cell_id)
            if self._run is not None:
                self._run.cancel(cell_id, sample)
        if cell_id is None:
            self._questions.stop(for_good=True)

    def __iter__(self) -> Iterator[RunEvent]:
        try:
            for stage in self._stages():
                ready: list[PlannedCell] = []
                for cell in stage:
                    yield from self._prepared(cell, ready)
                with self._lock:
                    self._run = Run(Plan(self.plan.session, tuple(ready)), self._pool, self._store)
                    if self._stopped:
                        self._run.finish()
                yield from self._run
        finally:
            self._preparer.close()

    def _stages(self) -> Iterator[list[PlannedCell]]:
        """Conditions that need no sample which is still to be drawn come first, with all their cells."""
        reference = self._store.session(self.plan.session).reference
        left = list(self.plan.cells)
        while left:
            open_names = {cell.condition.name for cell in left if cell.missing}
            contexts = {cell.condition.name: cell.condition.context for cell in left}
            ready = {name for name in contexts if not needed_conditions(contexts[name], reference) & open_names}
            ready = ready or set(contexts)  # a circle: its cells fail with the sample that is not there
            yield [cell for cell in left if cell.condition.name in ready]
            left = [cell for cell in left if cell.condition.name not in ready]

    def _prepared(self, cell: PlannedCell, ready: list[PlannedCell]) -> Iterator[RunEvent]:
        """Prepare a cell; it joins those that are ready, or its missing samples are stored as errors."""
        context, model = cell.condition.context, cell.condition.model
        bare = context.examples is None and context.hint is None and context.prefill is None
        if self._stopped or cell.id in self._cancelled_cells:
            yield CellDone(cell)
            return
        if not cell.missing or bare or model.is_imported or is_prepared(self._store, cell):
            ready.append(cell)
            return
        yield CellPreparing(cell)
        try:
            prepared = self._preparer.prepare(cell)
        except AlignbenchError as error:
            if self._stopped:
                yield CellDone(cell)
                return
            for sample in cell.missing:
                yield SampleStored(cell, self._store.add_error(cell.id, sample, str(error)))
            yield CellFailed(cell, str(error))
            return
        yield CellPrepared(cell, prepared.notes)
        ready.append(cell)
