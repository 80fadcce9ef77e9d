"""What a base model is shown: examples, hints, versions, the audit and the ledger."""

from __future__ import annotations

from alignbench.tui.action import LEAVE, SCROLLING, WRITING, Action

EXAMPLES = (
    LEAVE,
    Action("accept", "f5", "F5", "accept", "Give the column this context; then F5 samples it.", footer=True),
    Action(
        "pick_set",
        "f2",
        "F2",
        "set",
        "Pick a set: one that ships, of the database, of this session, a file.",
        footer=True,
    ),
    Action("up", "up,k", "↑", "up", "The field or example above."),
    Action("down", "down,j", "↓", "down", "The field or example below."),
    Action("less", "left,h", "←", "less", "The choice before; an example: one place earlier.", title="choice before"),
    Action("more", "right,l", "→", "more", "The next choice; an example: one place later.", title="next choice"),
    Action("edit", "enter,e", "Enter", "edit", "Write in this field or example.", footer=True),
    Action("add", "a", "a", "add", "Write an example.", footer=True, title="add example"),
    Action("drop", "x,delete", "x", "drop", "Take the example out, or what the field holds.", footer=True),
    Action("turn", "tab", "Tab", "page", "Where both do not fit: fields and examples, or the prompt.", footer=True),
    Action("page_up", "pageup", "PgUp", "page up", "Scroll the prompt up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll the prompt down."),
)

EXAMPLE = (
    *WRITING,
    Action("turn", "tab", "Tab", "next field", "Prompt, response, hint.", footer=True),
)

SETS = (
    Action("cancel", "escape", "Esc", "leave", "Keep the set that was there.", footer=True),
    Action("open_file", "f2", "F2", "open file", "A set of your own: .jsonl, .csv, or URIAL's .txt.", footer=True),
    Action("pick", "enter", "Enter", "pick", "Take the examples from this set.", footer=True),
)

HINT = (
    LEAVE,
    Action("accept", "f5", "F5", "accept", "Give the column this hint; then F5 samples it.", footer=True),
    Action(
        "coarser",
        "left,h",
        "←",
        "coarser",
        "Less of the response: summary, sentence, outline, topics, keywords.",
        footer=True,
    ),
    Action("finer", "right,l", "→", "finer", "More of the response.", footer=True),
    Action(
        "make", "enter", "Enter", "make", "Have the maker write the hint of this level.", footer=True, title="make hint"
    ),
    Action(
        "write",
        "e",
        "e",
        "write",
        "Write the hint, or go on with the one that was made.",
        footer=True,
        title="write hint",
    ),
    Action("remove", "x,delete", "x", "remove", "Take the hint away.", footer=True, title="remove hint"),
    Action("next_maker", "m", "m", "maker", "Another model makes it.", title="next maker"),
    Action("next_source", "right_square_bracket,full_stop", "]", "next source", "The next sample of the reference."),
    Action(
        "previous_source", "left_square_bracket,comma", "[", "previous source", "The sample of the reference before."
    ),
    Action("give_up", "c", "c", "give up", "Stop the maker.", title="stop the maker"),
    Action("turn", "tab", "Tab", "page", "Where not all fits: the hint, or the prompt.", footer=True),
    *SCROLLING,
)

VERSIONS = (
    Action("back", "escape,v,q", "Esc", "back", "Leave the version that is on the Bench.", footer=True),
    Action("pick", "enter", "Enter", "use", "Put this version on the Bench.", footer=True, title="use version"),
    Action("up", "up,k", "↑", "up", "The version above."),
    Action("down", "down,j", "↓", "down", "The version below."),
    Action(
        "mark", "space", "Space", "compare", "Compare the others with this version.", footer=True, title="compare with"
    ),
)

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
    Action("page_up", "pageup,up,k", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space,down,j", "PgDn", "page down", "Scroll down."),
)

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
    Action("older_version", "less_than_sign", "<", "older version", "The version of this column before this one."),
    Action("newer_version", "greater_than_sign", ">", "newer version", "The version of this column after this one."),
    Action("other", "b", "b", "column", "The same responses under another column.", title="another column"),
    Action("turn", "tab", "Tab", "account", "Where both do not fit: the response, or the account.", footer=True),
    Action("again", "r", "r", "again", "Read what failed or was given up.", footer=True, title="read again"),
    *SCROLLING,
)
