"""Where contexts are prepared while they are edited: a thread with a store and a preparer of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from alignbench.engines.cancellable_pool import CancellablePool
from alignbench.tui.workbench.store_thread import StoreThread

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import Preparer
    from alignbench.store import Store
    from alignbench.tui.workbench.backends import Backends

T = TypeVar("T")
NO_SESSION = 0  # before anything is sampled there are no samples to make a context of


class ContextPreparerThread:
    """One edit session: samples that are drawn meanwhile are not seen by it. Work is done one piece after the other."""

    def __init__(self, backends: Backends, session: int | None, report: Callable[[str], None]) -> None:
        """report: called from other threads with what a model is doing; it must not block."""
        self._pool = CancellablePool(backends.pool, backends.embed, report)
        self._embed = None if backends.embed is None else self._pool
        self._session = NO_SESSION if session is None else session
        self._thread = StoreThread(backends.db, "preparer")
        self._preparer: Preparer | None = None

    async def run(self, work: Callable[[Preparer, Store], T]) -> T:
        """The result of the work; its errors are raised here. Work that nobody waits for any more may never begin."""
        return await self._thread.run(partial(self._call, work))

    def _call(self, work: Callable[[Preparer, Store], T], store: Store) -> T:
        if self._preparer is None:
            from alignbench.experiments.context_preparer import Preparer

            self._preparer = Preparer(store, self._pool, self._session, self._embed)
        return work(self._preparer, store)

    def stop(self) -> None:
        """Give up what models are asked for now."""
        self._pool.stop()

    def close(self) -> None:
        """Give everything up; the thread closes what it opened."""
        self.stop()
        self._thread.shut(self._close_preparer)

    def _close_preparer(self) -> None:
        if self._preparer is not None:
            self._preparer.close()
