"""What was taken away or left can be brought back for a while, the newest first, by u on the screen where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from alignbench.tui.notices import tell

if TYPE_CHECKING:
    from textual.app import App

UNDO_SECONDS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Undoable:
    """Something that can be brought back.

    Attributes:
        screen: Where u does it.
        back: Does it.
        lost: Is called when it cannot be done any more.
    """

    screen: Screen[Any]
    back: Callable[[], object]
    lost: Callable[[], object]


class Undo:
    """The offers of the last seconds."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._offers: list[Undoable] = []

    def offer(self, said: str, back: Callable[[], object], lost: Callable[[], object] = lambda: None) -> Undoable:
        """Let u bring something back on the screen that is shown now.

        Args:
            said: What was done, a sentence; empty where nobody has to be told.
            back: Undoes it.
            lost: Is called where nobody has asked for that in time.
        """
        offer = Undoable(self._app.screen, back, lost)
        self._offers.append(offer)
        self._app.set_timer(UNDO_SECONDS, partial(self.end, offer))
        if said:
            tell(self._app, f"{said} u brings it back.", timeout=UNDO_SECONDS)
        return offer

    def end(self, offer: Undoable) -> None:
        """It is too late for this one."""
        if offer in self._offers:
            self._offers.remove(offer)
            offer.lost()

    def take(self) -> bool:
        """Bring back the newest that there is for the screen that is shown; whether there was one."""
        screen = self._app.screen
        offer = next((offer for offer in reversed(self._offers) if offer.screen is screen), None)
        if offer is None:
            return False
        self._offers.remove(offer)
        offer.back()
        return True

    async def wanted(self, said: str) -> bool:
        """Offer something and wait whether it is asked for in time."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        offer = self.offer(said, partial(answer.set_result, True), partial(answer.set_result, False))
        try:
            return await answer
        except asyncio.CancelledError:
            self._offers.remove(offer)
            raise
