"""What the keys of the alignment ledger do."""

from __future__ import annotations

from alignbench.tui.action import SCROLLING, VERSION_STEPS, Action

LEDGER = (
    Action(
        "back", "escape,q,g", "Esc", "back", "Give up what is being read; else back to where you were.", footer=True
    ),
    Action("examples", "f4", "F4", "examples", "Edit examples and layout of the column.", footer=True),
    Action("hint", "f6", "F6", "hint", "Edit the hint of the column.", footer=True),
    Action("next_sample", "full_stop,right_square_bracket,down,j", ".", "next", "The next response.", footer=True),
    Action("previous_sample", "comma,left_square_bracket,up,k", ",", "previous", "The response before."),
    Action("left", "left,h", "←", "left", "The token before."),
    Action("right", "right,l", "→", "right", "The token after."),
    Action(
        "changed",
        "d",
        "d",
        "change",
        "Under each token the gap, or the bits that were closed since the version before.",
        footer=True,
        title="what an edit closed",
    ),
    *VERSION_STEPS,
    Action("other", "b", "b", "column", "The same responses under another column.", title="another column"),
    Action("turn", "tab", "Tab", "account", "Where both do not fit: the response, or the account.", footer=True),
    Action("again", "r", "r", "again", "Read what failed or was given up.", footer=True, title="read again"),
    *SCROLLING,
)
