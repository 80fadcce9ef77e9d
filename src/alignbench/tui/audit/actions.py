"""What the keys of the audit do."""

from __future__ import annotations

from alignbench.tui.action import LINES, SCROLLING, Action

AUDIT = (
    Action("back", "escape,f9,q", "Esc", "back", "Back to the Bench.", footer=True),
    Action("other", "tab", "Tab", "other column", "Compare with the next column.", footer=True),
    Action(
        "study",
        "u",
        "u",
        "under study",
        "Take something else for what is under study: model, context, sampling.",
        footer=True,
    ),
    Action(
        "turn",
        "p",
        "p",
        "prompts",
        "The differences, or both prompts side by side.",
        footer=True,
        title="prompts side by side",
    ),
    *LINES,
    *SCROLLING,
)
