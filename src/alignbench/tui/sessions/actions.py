"""What the keys of the list of sessions do, and those of the screens that it opens."""

from __future__ import annotations

from alignbench.tui.action import LINES, LIST, SCROLLING, TYPED_LIST, Action, accepting
from alignbench.tui.dialogs.actions import TEXT

SESSIONS = (
    Action("back", "escape,f8,q", "Esc", "back", "Back to the session that was open.", footer=True),
    Action("open", "enter", "Enter", "reopen", "Open the session where it was left.", footer=True),
    Action("search", "slash", "/", "search", "Find samples of all sessions by the words in them.", footer=True),
    Action("filter", "f", "f", "filter", "Only sessions with some words in name, tags or models.", footer=True),
    Action("to_list", "down", "↓", "to the list", "From the words of the filter to what they leave."),
    Action("report", "o", "o", "report", "The whole report of the session; w there writes it as a page.", footer=True),
    Action("export", "x", "x", "export", "Write samples to a file, of all conditions or of some.", footer=True),
    Action("new_session", "ctrl+n", "^N", "new", "Leave this session as it is and begin another one.", footer=True),
    Action("mark", "space", "Space", "mark", "Mark the session, to merge or compare it with others.", footer=True),
    Action("merge", "m", "m", "merge", "Make one session of those that are marked, and of this one.", footer=True),
    Action("compare", "c", "c", "compare", "What differs between this session and the marked one.", footer=True),
    Action("delete", "d,delete", "d", "delete", "Delete the session and everything in it, after asking.", footer=True),
    Action("label", "l", "l", "label", "Say of pairs of its samples which is better, not knowing whose they are."),
    Action("rename", "r", "r", "rename", "Give the session another name."),
    Action("tags", "t", "t", "tags", "Tags of the session, with commas between."),
    Action("note", "n", "n", "notes", "Notes on the session, and another one."),
    Action("backup", "b", "b", "backup", "Copy the whole database as it is now, while others may write to it."),
    *LIST,
)

SEARCH = (
    accepting("open", "open", "Open its session, at its prompt."),
    Action("back", "escape", "Esc", "back", "Back to the sessions.", footer=True),
    *TYPED_LIST,
)

EXPORT = (
    accepting("accept", "write", "Write the file."),
    Action("cancel", "escape", "Esc", "leave", "Close without writing anything.", footer=True),
    Action("next_field", "tab", "Tab", "next field", "From the file to the conditions and back.", footer=True),
    *LIST,
)

REPORT = (
    *TEXT[:1],
    Action("write", "w", "w", "write page", "Write the report as one HTML file.", footer=True),
    *TEXT[1:],
)

LABEL = (
    Action("back", "escape,q", "Esc", "leave", "Back; what is labelled is kept, and the rest waits.", footer=True),
    Action("undo", "u,backspace", "u", "undo", "Back to the pair before, to answer it again.", footer=True),
    Action("skip", "s", "s", "skip", "Come back to this pair when all others are done.", footer=True),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Down by a page, in both.", footer=True),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page, in both.", footer=True),
    *LINES,
    *SCROLLING[2:],
    *(
        Action(f"answer({i})", str(i), str(i), f"answer {i}", "The answer with this number in the line of answers.")
        for i in range(1, 10)
    ),
)
