"""What the keys of the dialogs do."""

from __future__ import annotations

from dataclasses import replace

from alignbench.tui.action import (
    EXTERNAL_EDITOR,
    LEAVE,
    LINES,
    LIST,
    PAGER,
    PAGING,
    SCROLLING,
    TYPED_LIST,
    WRITING,
    Action,
    accepting,
)

PICKER = (
    accepting("pick", "pick", "Put this prompt on the Bench."),
    Action("back", "escape", "Esc", "back", "Keep the prompt that was there.", footer=True),
    Action("next_set", "tab", "Tab", "next set", "The next prompt set.", footer=True),
    Action("previous_set", "shift+tab", "Shift+Tab", "previous set", "The prompt set before this one."),
    Action("open_file", "f2", "F2", "open file", "Prompts of your own: .jsonl, .csv or .txt.", footer=True),
    *TYPED_LIST,
)

SAMPLE = (
    accepting("accept", "draw", "Draw the samples that are missing there."),
    LEAVE,
    Action("other_columns", "tab,c", "Tab", "columns", "All columns, or the selected one.", footer=True),
    *LIST,
)

EDITOR = (*WRITING,)

CONDITION = (
    accepting("accept", "accept", "Check the fields and change the column."),
    LEAVE,
    Action("field_down", "down", "↓", "next field", "The next field (Tab does the same)."),
    Action("field_up", "up", "↑", "field above", "The field above (Shift+Tab does the same)."),
    Action("next_choice", "f2", "F2", "next choice", "In model and mode: the next one that is known.", footer=True),
    Action("reset_field", "f6", "F6", "as reference", "Write into this field what the reference has.", footer=True),
    Action("reset_all", "f7", "F7", "all as reference", "The same in every field but model and name.", footer=True),
    Action(
        "set_in_all",
        "f8",
        "F8",
        "set in all",
        "Give every column what this field says, now. Samples that are there stay, as a version of their column.",
        footer=True,
        title="set in all columns",
    ),
)

CONFIRM = (
    Action("yes", "y,f10", "y/F10", "yes", "Do it.", footer=True),
    Action("no", "n,escape", "n", "no", "Leave everything as it is.", footer=True),
)

LINE = (accepting("accept", "accept", "Take what is written here."), LEAVE)

SAVE = (accepting("accept", "write", "Write the file."), LEAVE)

NOTES = (
    *LINE,
    EXTERNAL_EDITOR,
    Action("line_up", "up", "↑", "up", "The notes up by a line."),
    Action("line_down", "down", "↓", "down", "The notes down by a line."),
    *PAGING,
)

TEXT = (
    Action("back", "escape,q", "Esc", "back", "Back to the sessions.", footer=True),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Down by a page.", footer=True),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page.", footer=True),
    replace(PAGER, footer=True),
    *LINES,
    *SCROLLING[2:],
)

HELP = (
    Action("back", "escape,q,enter", "Esc", "back", "Back to where you were.", footer=True),
    *(replace(each, footer=True) for each in reversed(SCROLLING)),
    *LINES,
)
