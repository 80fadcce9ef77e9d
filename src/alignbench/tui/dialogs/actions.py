"""What the keys of the dialogs do."""

from __future__ import annotations

from alignbench.tui.action import EXTERNAL_EDITOR, LEAVE, PAGER, PAGING, SCROLLING, WRITING, Action, accepting

PICKER = (
    accepting("pick", "pick", "Put this prompt on the Bench."),
    Action("back", "escape", "Esc", "back", "Keep the prompt that was there.", footer=True),
    Action("list_down", "down", "↓", "down", "The next line."),
    Action("list_up", "up", "↑", "up", "The line above."),
    *PAGING,
    Action("next_set", "tab", "Tab", "next set", "The next prompt set.", footer=True),
    Action("previous_set", "shift+tab", "Shift+Tab", "previous set", "The prompt set before this one."),
    Action("open_file", "f2", "F2", "open file", "Prompts of your own: .jsonl, .csv or .txt.", footer=True),
)

SAMPLE = (
    accepting("accept", "draw", "Draw the samples that are missing there."),
    LEAVE,
    Action("list_down", "down,j", "↓", "down", "The next line."),
    Action("list_up", "up,k", "↑", "up", "The line above."),
    Action("other_columns", "tab,c", "Tab", "columns", "All columns, or the selected one.", footer=True),
)

EDITOR = (*WRITING,)

CONDITION = (
    accepting("accept", "accept", "Check the fields and change the column."),
    LEAVE,
    Action("field_down", "down", "↓", "next field", "The next field (Tab does the same)."),
    Action("field_up", "up", "↑", "field above", "The field above (Shift+Tab does the same)."),
    Action("next_choice", "f2", "F2", "next choice", "In model and mode: the next one that is known.", footer=True),
    Action("reset_field", "f6", "F6", "as reference", "Write into this field what the reference has.", footer=True),
    Action(
        "reset_all", "f7", "F7", "all as reference", "The same in every field but model and name.", footer=True, spare=1
    ),
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

NOTES = (*LINE, EXTERNAL_EDITOR)

TEXT = (
    Action("back", "escape,q", "Esc", "back", "Back to the sessions.", footer=True),
    Action("line_up", "up,k", "↑", "up", "Up by a line."),
    Action("line_down", "down,j", "↓", "down", "Down by a line."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page.", footer=True),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Down by a page.", footer=True),
    *SCROLLING[2:],
    PAGER,
)

HELP = (Action("back", "escape,q,enter", "Esc", "back", "Back to where you were.", footer=True),)
