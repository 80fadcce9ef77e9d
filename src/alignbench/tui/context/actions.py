"""What the keys of the composers of examples and hints do."""

from __future__ import annotations

from alignbench.tui.action import LEAVE, LINES, LIST, PAGER, SCROLLING, WRITING, Action, accepting

EXAMPLES = (
    accepting("accept", "accept", "Give the column this context; F5 on the Bench samples it.", enter=False),
    LEAVE,
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
    Action("first", "home", "Home", "first", "The first field."),
    Action("last", "end", "End", "last", "The last example, or field."),
    Action("less", "left,h", "←", "less", "The choice before; an example: one place earlier.", title="choice before"),
    Action("more", "right,l", "→", "more", "The next choice; an example: one place later.", title="next choice"),
    Action("edit", "enter,e", "Enter", "edit", "Write in this field or example.", footer=True),
    Action("add", "a", "a", "add", "Write an example.", footer=True, title="add example"),
    Action("drop", "x,delete", "x", "drop", "Take the example out, or what the field holds.", footer=True),
    Action("turn", "tab", "Tab", "page", "Where both do not fit: fields and examples, or the prompt.", footer=True),
    Action("page_up", "pageup", "PgUp", "page up", "Scroll the prompt up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll the prompt down."),
    PAGER,
)

EXAMPLE = (
    *WRITING,
    Action("turn", "tab", "Tab", "next field", "Prompt, response, hint.", footer=True),
)

SETS = (
    accepting("pick", "pick", "Take the examples from this set."),
    Action("cancel", "escape", "Esc", "leave", "Keep the set that was there.", footer=True),
    Action("open_file", "f2", "F2", "open file", "A set of your own: .jsonl, .csv, or URIAL's .txt.", footer=True),
    *LIST,
)

HINT = (
    accepting("accept", "accept", "Give the column this hint; F5 on the Bench samples it.", enter=False),
    LEAVE,
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
    *LINES,
    *SCROLLING,
    PAGER,
)
