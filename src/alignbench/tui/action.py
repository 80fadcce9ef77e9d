"""What an action is, and those that many screens share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does on one screen.

    name: the method is `action_<name>`. keys: Textual's names, separated by commas. shown: the key as people write it.
    label: one or two words. help: a sentence. footer: whether it stands at the bottom of the screen. title: what the
    palette and the help call it, where the label is too short for that. spare: where not all keys fit at the bottom,
    the higher ones go first; F1 and the palette have them all.
    """

    name: str
    keys: str
    shown: str
    label: str
    help: str
    footer: bool = False
    priority: bool = False
    title: str = ""
    spare: int = 0

    @property
    def called(self) -> str:
        return self.title or self.label


LEAVE = Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True)
WRITING = (
    LEAVE,
    Action("accept", "f5,ctrl+enter", "F5", "accept", "Take what is written here.", footer=True),
)
SCROLLING = (
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
)
PAGING = (
    Action("page_down", "pagedown", "PgDn", "page down", "Down by a page."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page."),
)
