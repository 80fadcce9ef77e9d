"""The session database, used from one thread of its own so that a slow disk never holds a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from alignbench.store import Store

T = TypeVar("T")


class DatabaseThread:
    """Runs pieces of work on a store, one after the other. The file is opened (or made) by the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._store: Store | None = None

    async def run(self, work: Callable[[Store], T]) -> T:
        """The result of `work(store)`; its errors are raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, work)

    def _call(self, work: Callable[[Store], T]) -> T:
        if self._store is None:
            from alignbench.store import Store

            self._store = Store.open(self.path)
        return work(self._store)

    async def close(self) -> None:
        """Finish what was begun and close the file."""
        if self._store is not None:
            await self.run(lambda store: store.close())
        self._store = None
        self._thread.shutdown(wait=False)
