"""Waiting for a model that a process loads: for its weights, and then for the adapter that is added to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from alignbench.engines.protocol import LOAD, Event, Failed, Loaded, Loading, Sink
from alignbench.engines.workers.messages import AdapterLoaded, LoadAdapter, WithAdapter, WorkerAnswer
from alignbench.engines.workers.process import WorkerProcess
from alignbench.models.adapter import Adapter
from alignbench.spec import Model


@dataclass(eq=False, slots=True)
class LoadWait:
    """One who waits, who is answered once.

    Attributes:
        model: that is waited for
        adapter: of it
        process: that has its weights, or will
        key: of the request for the adapter
        sink: gets the events
        ended: called when there was the last one
    """

    model: Model
    adapter: Adapter | None
    process: WorkerProcess
    key: int
    sink: Sink
    ended: Callable[[LoadWait], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: bool = False  # for the adapter
    _cancelled: bool = False
    _over: bool = False

    @property
    def is_for_weights(self) -> bool:
        """Whether the weights are still to come."""
        return not self._asked

    def take(self, event: Event) -> None:
        """What happens to the weights."""
        match event:
            case Loaded() if self.adapter is not None:
                self.ask_for_adapter()
            case Loading() | Loaded():
                self._tell(replace(event, model=self.model.name))
            case _:
                self._tell(event)

    def ask_for_adapter(self) -> None:
        """The weights are there."""
        assert self.adapter is not None
        with self._lock:
            if not (cancelled := self._cancelled):
                self._asked = True
                self.process.open[self.key] = self._answered
                self.process.adding.add(self.key)
                self.process.send(WithAdapter(self.adapter, LoadAdapter(self.key)))
        if cancelled:
            self.give_up()

    def cancel(self) -> None:
        """Have it end soon: at once where the adapter is not asked for when the weights come."""
        with self._lock:
            self._cancelled = True
            asked = self._asked
        if asked:
            self.process.cancel(self.key)

    def give_up(self) -> None:
        """End it now."""
        self._tell(Failed(LOAD, f"The loading of {self.model.name} was cancelled."))

    def _answered(self, event: WorkerAnswer) -> None:
        match event:
            case AdapterLoaded():
                assert self.adapter is not None
                self.process.adapted[self.adapter] = event.capabilities
                self._tell(Loaded(self.model.name, event.capabilities, event.seconds))
            case Loading():
                self.take(event)
            case Failed():
                self._tell(replace(event, key=LOAD))

    def _tell(self, event: Event) -> None:
        with self._lock:
            if self._over:
                return
            last = self._over = not isinstance(event, Loading)
        if last:
            self.ended(self)
        self.sink(event)
