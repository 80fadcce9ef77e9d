"""One thread that computes what a view asks for, the latest of it, so that no key waits for a score."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Any

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.errors import StoreError
from alignbench.scoring.on_request import OnRequestScores
from alignbench.tui.scores.model_metrics import Backends
from alignbench.tui.scores.on_demand import OnDemandScores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alignbench.store import Store
    from alignbench.tui.scores.snapshot import Snapshot

_REST = 0.5  # seconds at most between two pieces of work
_KEPT = 8  # results

Work = Callable[[OnRequestScores], Any]


class PanelWorker:
    """Owns a board and a connection to the database, and the costly scores that were asked for.

    Work that was not begun is dropped when other work is asked for. Between two pieces the thread rests for as long as
    the last one took: scores follow a running session without taking the app's time.
    """

    def __init__(self, means: Backends, changed: Callable[[], None]) -> None:
        """changed: called from a thread when there is something new to see; it must not block."""
        self.demands = OnDemandScores(means, changed)
        self._db, self._embed = means.db, means.embed
        self._changed = changed
        self._asked = threading.Condition()
        self._next: tuple[Hashable, Work] | None = None
        self._doing: Hashable = None
        self._results: dict[Hashable, Any] = {}
        self._closed = False
        self._store: Store | None = None
        self._thread: threading.Thread | None = None

    def ask(self, want: Hashable, work: Work) -> Any | None:
        """The result of this work, or None, and it is done next. An exception that came of it is its result."""
        with self._asked:
            if want in self._results:
                return self._results[want]
            if want != self._doing:
                self._next = (want, work)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
                    self._thread.start()
                self._asked.notify()
            return None

    def hints(self, snapshot: Snapshot) -> dict[str, str]:
        """The texts of the hints of columns and versions, embedded; from the worker's thread only."""
        cells = {name: rows[0].cell_id for name, rows in snapshot.samples[snapshot.prompt].items() if rows}
        cells |= {one.name: one.samples[0].cell_id for one in snapshot.earlier}
        found = {name: text for name, text in snapshot.hints.items() if name in cells}
        if (store := self._opened()) is None:
            return found
        for name in snapshot.told.keys() & cells.keys():
            if (hint := store.cell_hint(cells[name])) is not None:
                found[name] = hint.text
        if self._embed is not None and found:
            from alignbench.scoring.embedding_cache import Embeddings

            Embeddings(store, self._embed, DEFAULT_EMBEDDER).make(found.values())
        return found

    def close(self) -> None:
        """Do nothing more."""
        self.demands.cancel()
        with self._asked:
            self._closed, self._next = True, None
            self._asked.notify()

    def _run(self) -> None:
        board = OnRequestScores(self._kept)
        try:
            while (asked := self._take()) is not None:
                want, work = asked
                began = time.monotonic()
                try:
                    result = work(board)
                except Exception as error:  # whatever it was, the view says so and the app goes on
                    result = error
                with self._asked:
                    self._doing = None
                    self._results[want] = result
                    for old in list(self._results)[:-_KEPT]:
                        del self._results[old]
                if not self._closed:
                    self._changed()
                    time.sleep(min(_REST, time.monotonic() - began))
        finally:
            if self._store is not None:
                self._store.close()

    def _take(self) -> tuple[Hashable, Work] | None:
        with self._asked:
            self._asked.wait_for(lambda: self._next is not None or self._closed)
            asked, self._next = self._next, None
            self._doing = asked[0] if asked else None
            return asked

    def _kept(self, keys: Collection[str]) -> Mapping[str, NDArray[np.float32]]:
        """Vectors that the live scores' worker has made and kept."""
        try:
            store = self._opened()
            return {} if store is None else store.embeddings(DEFAULT_EMBEDDER, keys)
        except StoreError:
            return {}

    def _opened(self) -> Store | None:
        if self._store is None and self._db.exists():
            from alignbench.store import Store

            self._store = Store.open(self._db)
        return self._store
