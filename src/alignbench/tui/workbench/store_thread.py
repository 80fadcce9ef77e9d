"""The session database, used from one thread of its own so that a slow disk never holds a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from alignbench.store import Store

T = TypeVar("T")


class StoreThread:
    """Runs pieces of work on a store, one after the other. The file is opened (or made) by the first of them."""

    def __init__(self, path: Path, name: str = "database", on_damage: Callable[[], None] = lambda: None) -> None:
        """on_damage: called in its thread where there is something to `take_damage`."""
        self.path = path
        self._on_damage = on_damage
        self._damage: dict[str, bool] = {}  # note -> whether it was taken
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._store: Store | None = None

    async def run(self, work: Callable[[Store], T]) -> T:
        """The result of `work(store)`; its errors are raised here. Work that nobody waits for may never begin."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, work)

    def _call(self, work: Callable[[Store], T]) -> T:
        if self._store is None:
            from alignbench.store import Store

            self._store = Store.open_or_read(self.path)
        try:
            return work(self._store)
        finally:
            notes = [note for note in self._store.damage if note not in self._damage]
            self._damage |= dict.fromkeys(notes, False)
            if notes:
                self._on_damage()

    def take_damage(self) -> list[str]:
        """What could not be read and was left out since the last call, a sentence each."""
        notes = [note for note, taken in list(self._damage.items()) if not taken]
        self._damage |= dict.fromkeys(notes, True)
        return notes

    async def close(self) -> None:
        """Finish what was begun and close the file."""
        await asyncio.wrap_future(self.shut())

    def shut(self, first: Callable[[], None] = lambda: None) -> Future[None]:
        """Have the thread close the file, and end, when it has done what was begun. first: what it closes before."""
        closed = self._thread.submit(self._shut, first)
        self._thread.shutdown(wait=False)
        return closed

    def _shut(self, first: Callable[[], None]) -> None:
        first()
        if self._store is not None:
            self._store.close()
            self._store = None
