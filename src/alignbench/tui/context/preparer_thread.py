"""Where contexts are prepared while they are edited: a thread with a store and a preparer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from alignbench.tui.context.cancellable_pool import CancellablePool

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.experiments.context_preparer import Preparer
    from alignbench.store import Store

T = TypeVar("T")
NO_SESSION = 0  # before anything is sampled there are no samples to make a context of


class ContextPreparerThread:
    """One edit session: samples that are drawn meanwhile are not seen by it. Work is done one piece after the other."""

    def __init__(
        self, db: Path, pool: EnginePool, embed: EmbedPool | None, session: int | None, report: Callable[[str], None]
    ) -> None:
        """report: told from other threads what a model is doing; it must not block."""
        self._db = db
        self._pool, self._embed = CancellablePool(pool, report), embed
        self._session = NO_SESSION if session is None else session
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="composing")
        self._store: Store | None = None
        self._preparer: Preparer | None = None

    async def run(self, work: Callable[[Preparer, Store], T]) -> T:
        """The result of the work; its errors are raised here. Work that nobody waits for any more may never begin."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, work)

    def _call(self, work: Callable[[Preparer, Store], T]) -> T:
        if self._preparer is None or self._store is None:
            from alignbench.experiments.context_preparer import Preparer
            from alignbench.store import Store

            self._store = Store.open(self._db)
            self._preparer = Preparer(self._store, self._pool, self._session, self._embed)
        return work(self._preparer, self._store)

    def stop(self) -> None:
        """Give up what models are asked for now."""
        self._pool.stop()

    def close(self) -> None:
        """Give everything up; the thread closes what it opened."""
        self.stop()
        self._thread.submit(self._shut)
        self._thread.shutdown(wait=False)

    def _shut(self) -> None:
        if self._preparer is not None:
            self._preparer.close()
        if self._store is not None:
            self._store.close()
