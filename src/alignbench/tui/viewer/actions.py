"""What the keys of the sample viewer do."""

from __future__ import annotations

from alignbench.tui.action import PAGER, SCROLLING, Action

VIEWER = (
    Action("back", "escape,enter,q", "Esc", "back", "Back to where you were.", footer=True),
    Action("view_text", "1", "1", "text", "The text alone, as the model wrote it.", footer=True),
    Action(
        "view_shared",
        "2",
        "2",
        "shared",
        "Mark the words that the reference uses too.",
        footer=True,
        title="shared words",
    ),
    Action(
        "view_sentences",
        "3",
        "3",
        "covered",
        "Which sentences the reference says too, and where.",
        footer=True,
        title="covered sentences",
    ),
    Action(
        "view_tokens",
        "4",
        "4",
        "tokens",
        "The rank of each token under a base column's model.",
        footer=True,
        title="token shift",
    ),
    Action(
        "view_anchors",
        "5",
        "5",
        "anchors",
        "The phrases that many samples of this column have, marked and listed.",
        title="anchor spans",
    ),
    Action("sample_up", "up,k", "↑", "previous", "The sample before this one.", footer=True),
    Action("sample_down", "down,j", "↓", "next", "The sample after this one.", footer=True),
    Action(
        "left", "left,h", "←", "left", "The sentence, token or phrase before; in other views the column to the left."
    ),
    Action(
        "right", "right,l", "→", "right", "The sentence, token or phrase after; in other views the column to the right."
    ),
    Action("column_left", "shift+tab", "Shift+Tab", "column left", "The same sample, one column to the left."),
    Action("column_right", "tab", "Tab", "column right", "The same sample, one column to the right."),
    *SCROLLING,
    Action("other_base", "b", "b", "base", "Token shift under another base column.", title="another base column"),
    Action("again", "r", "r", "again", "Compute what failed or was given up.", footer=True, title="compute again"),
    Action(
        "cancel_sample", "c", "c", "cancel", "Give up what is being computed here, or stop this sample.", footer=True
    ),
    Action(
        "ledger",
        "g",
        "g",
        "ledger",
        "The gap in bits under each token of the reference's response.",
        footer=True,
        title="alignment ledger",
    ),
    Action("copy", "y", "y", "copy", "Copy this sample to the clipboard (OSC 52)."),
    Action("save", "w", "w", "save", "Write this sample to a text file."),
    PAGER,
)
