"""Questions, single lines and help."""

from __future__ import annotations

from alignbench.tui.action import LEAVE, Action

CONFIRM = (
    Action("no", "escape,n", "n", "no", "Leave everything as it is.", footer=True),
    Action("yes", "y", "y", "yes", "Do it.", footer=True),
)

LINE = (
    LEAVE,
    Action("accept", "enter", "Enter", "accept", "Take what is written here.", footer=True, priority=True),
)

HELP = (Action("back", "escape,q,enter", "Esc", "back", "Back to where you were.", footer=True),)
