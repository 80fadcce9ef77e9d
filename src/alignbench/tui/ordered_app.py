"""An app whose keys come in order, and in which what was left with changes can be had back."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.worker import get_current_worker

from alignbench.tui.key_queue import KeyQueue
from alignbench.tui.notices import tell
from alignbench.tui.undo import Undo


class OrderedApp(App[None]):
    """What stands between the terminal's keys and the screens.

    Attributes:
        keys: Those that wait.
        undo: What can be brought back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys = KeyQueue(self)
        self.undo = Undo(self)

    async def on_event(self, event: events.Event) -> None:
        if not self.keys.takes(event):
            await super().on_event(event)

    def push_screen(self, screen: Any, callback: Any = None, wait_for_dismiss: Any = False, **mode: Any) -> Any:
        pushed = super().push_screen(screen, callback, wait_for_dismiss, **mode)
        if wait_for_dismiss:
            self.keys.asks(get_current_worker(), self.screen)
        return pushed

    async def push_screen_wait(self, screen: Any, **mode: Any) -> Any:
        """What the screen gives back. One that was left with changes, which `AppScreen` has installed, can be had back
        for a while as it was left."""
        while (result := await super().push_screen_wait(screen, **mode)) is None and self.is_screen_installed(screen):
            self.keys.asks(get_current_worker(), self.screen)
            wanted = False
            try:
                wanted = await self.undo.wanted("The changes here are left out.")
            finally:
                self.uninstall_screen(screen)
                if not wanted:
                    screen.remove()
            if not wanted:
                break
        return result

    def action_undo(self) -> None:
        if not self.undo.take():
            tell(self, "There is nothing to bring back here.")
