"""Keys in order: each is done with, the screen that it opens included, before the next one goes anywhere.

Textual hands a key to the widget that has the focus when the key comes, while what the keys before it do is still on
its way: another screen, another focus. Typed quickly, a key would act on a screen that is about to be covered or left.

Nothing else has to guard itself. A screen may be opened from a worker (`@work`), after a look into the database or not:
keys wait until it is there and drawn. They wait for every worker but two kinds: one that waits for what a screen gives
back, and one of the group `BACKGROUND`, which is for what goes on while keys do other things: sampling, what a screen
computes to draw itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

from textual import events
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.worker import Worker

if TYPE_CHECKING:
    from textual.app import App

BACKGROUND = "background"  # the group of workers that no key waits for

MOST = 10_000  # keys that wait; a text that a terminal types in place of pasting it is no longer
PATIENCE = 10.0  # seconds that keys wait for a worker; what was typed meanwhile goes nowhere
RESIGN = 1.0  # the same, where Esc or Ctrl+Q was pressed last
LOOK = 0.005  # seconds between two looks at what is waited for

Typed = events.Key | events.Paste


class KeyQueue:
    """The keys that wait, and the one that is being followed through the app's message queues.

    A key that closed a screen does nothing below it where it comes again in the same burst: a double Enter accepts
    once. Esc leaves one screen after the other, but what it does on the last one needs an Esc of its own.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self.leaving: tuple[str, ...] = ("escape", "ctrl+q")  # keys that nobody has to wait long for
        self._last = time.monotonic()
        self._waiting: deque[Typed] = deque()
        self._came = asyncio.Event()
        self._runs = False
        self._released: Typed | None = None
        self._screen: Screen[Any] | None = None  # that was shown when it was
        self._path: Sequence[DOMNode] = ()  # what it passes through, from the focus up
        self._drawn: ref[Screen[Any]] | None = None  # the screen that was drawn last
        self._asked: WeakKeyDictionary[Worker[Any], Screen[Any]] = WeakKeyDictionary()
        self._given_up: WeakSet[Worker[Any]] = WeakSet()

    @property
    def idle(self) -> bool:
        """Whether no key waits and none is followed."""
        return not self._waiting and self._released is None

    @property
    def quiet(self) -> float:
        """Seconds since the last key came."""
        return time.monotonic() - self._last

    def takes(self, event: events.Event) -> bool:
        """Whether an event of the app is a key that waits its turn from now on; Textual has to handle any other."""
        if not isinstance(event, Typed) or event.is_forwarded:
            return False
        self._last = time.monotonic()
        if self._shown is None:
            return True
        at_once = self._runs and self.idle and self._is_drawn and not self._busy()
        if at_once or event is self._released:
            self._released, self._screen = event, self._app.screen
            self._path = (self._app.focused or self._app.screen).ancestors_with_self
        elif len(self._waiting) < MOST:
            self._waiting.append(event)
        self._came.set()
        return event is not self._released

    def asks(self, worker: Worker[Any], screen: Screen[Any]) -> None:
        """This worker waits for what the screen gives back."""
        self._asked[worker] = screen

    def drop(self) -> None:
        """Forget what was typed behind the key that is being followed: it was for a screen that did not open."""
        if self._released is not None:
            self._waiting.clear()

    async def run(self) -> None:
        """Follow one key after the other."""
        self._runs = True
        while self._shown is not None:
            await self._settle()
            if self._waiting:
                await self._release()
            else:
                await self._came.wait()
                self._came.clear()
            if self._released is not None:
                await self._follow(self._released)

    async def _release(self) -> Typed:
        event = self._released = self._waiting.popleft()
        self._app.post_message(event)
        await _passed(self._app)
        return event

    async def _follow(self, event: Typed) -> None:
        """Wait until a key is done with: it goes from the focus up to the app, which acts, and what that posts goes the
        same way; then screens open or close."""
        while self._waiting and self._types(event) and self._types(self._waiting[0]):
            event = await self._release()
        for _ in range(2):
            for node in self._path:
                await _passed(node)
        await self._settle()
        if self._screen not in self._app.screen_stack:
            self._drop_repeated(event)
        self._released, self._screen, self._path = None, None, ()

    def _types(self, event: Typed) -> bool:
        """Whether it only writes where the key before it went: such keys need not wait for each other."""
        where = self._path[0] if self._path else None
        if not isinstance(where, Input | TextArea) or where is not self._app.focused:
            return False
        return isinstance(event, events.Paste) or event.is_printable

    def _drop_repeated(self, event: Typed) -> None:
        if not isinstance(event, events.Key) or (event.key == "escape" and len(self._app.screen_stack) > 1):
            return
        while self._waiting and isinstance(again := self._waiting[0], events.Key) and again.key == event.key:
            self._waiting.popleft()

    async def _settle(self) -> None:
        """Wait until the screen that keys would go to is there, and until nobody is about to open another one."""
        began = time.monotonic()
        while (screen := self._shown) is not None:
            if not self._is_drawn:
                await self._draw(screen)
            elif busy := self._busy():
                await asyncio.sleep(LOOK)
                self._lose_patience(busy, time.monotonic() - began)
            else:
                return

    @property
    def _is_drawn(self) -> bool:
        return self._drawn is not None and self._drawn() is self._shown

    @property
    def _shown(self) -> Screen[Any] | None:
        """The screen that keys go to; none where the app is closing."""
        stack = self._app.screen_stack
        return stack[-1] if stack else None

    def _busy(self) -> list[Worker[Any]]:
        return [worker for worker in self._app.workers if self._is_waited_for(worker)]

    def _is_waited_for(self, worker: Worker[Any]) -> bool:
        return not (
            worker.is_finished
            or worker.group == BACKGROUND
            or worker in self._given_up
            or self._asked.get(worker) in self._app.screen_stack
        )

    def _lose_patience(self, busy: list[Worker[Any]], seconds: float) -> None:
        last = self._waiting[-1] if self._waiting else None
        leaves = isinstance(last, events.Key) and last.key in self.leaving
        if seconds > (RESIGN if leaves else PATIENCE):
            self._given_up.update(busy)
            self._waiting.clear()
            if last is not None and leaves:
                self._waiting.append(last)

    async def _draw(self, screen: Screen[Any]) -> None:
        """Wait until a screen is mounted and drawn, its focus set."""
        for _ in range(2):  # what is shown may depend on the size, which the first drawing tells
            for pump in (screen, self._app):  # the app sets the focus
                await _passed(pump)
            shown = asyncio.Event()
            screen.call_after_refresh(shown.set)
            while not shown.is_set() and self._shown is screen:
                await _moment(shown)
        self._drawn = ref(screen)


async def _passed(pump: MessagePump) -> None:
    """Wait until what was posted to it so far is handled, or until it is gone."""
    passed = asyncio.Event()
    if pump.call_later(passed.set):
        while not passed.is_set() and (pump.is_running or not pump._is_mounted):
            await _moment(passed)


async def _moment(event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), LOOK)
