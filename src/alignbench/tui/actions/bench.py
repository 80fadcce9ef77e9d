"""The Bench, and what reads or changes what stands on it."""

from __future__ import annotations

from alignbench.tui.action import LEAVE, PAGING, SCROLLING, WRITING, Action

BENCH = (
    Action("prompts", "f2", "F2", "prompts", "Pick a prompt from a set that ships or from a file.", footer=True),
    Action("condition", "f3", "F3", "condition", "Model and sampling parameters of the selected column.", footer=True),
    Action(
        "examples",
        "f4",
        "F4",
        "examples",
        "Examples and layout of the selected column, with the exact prompt.",
        footer=True,
        spare=2,
    ),
    Action("sample", "f5", "F5", "sample", "Draw the samples that are missing, in every column.", footer=True),
    Action("hint", "f6", "F6", "hint", "A hint for the selected column, at any resolution.", footer=True, spare=1),
    Action("scores", "f7", "F7", "scores", "All scores of this prompt, and why some are missing.", footer=True),
    Action(
        "sessions",
        "f8",
        "F8",
        "sessions",
        "Sessions in the database: reopen, search, report, delete, more.",
        footer=True,
    ),
    Action(
        "audit",
        "f9",
        "F9",
        "audit",
        "Everything in which the selected column differs from the reference.",
        title="confound audit",
    ),
    Action(
        "ledger",
        "g",
        "g",
        "ledger",
        "The reference's responses with the gap in bits under each token, and what each piece of this column's "
        "context saves of it.",
        footer=True,
        title="alignment ledger",
        spare=3,
    ),
    Action(
        "investigation",
        "I",
        "I",
        "diversity",
        "Investigation 1: what moved between base, in-context and aligned columns, over all prompts of the session.",
        title="investigation 1",
    ),
    Action("sample_column", "s", "s", "sample column", "Draw the samples that are missing, in this column only."),
    Action(
        "take_example",
        "i",
        "i",
        "as example",
        "Add this sample, with its prompt, to the examples of the base column that was selected last.",
        title="sample as example",
    ),
    Action("versions", "v", "v", "versions", "The versions of this column, and what parts any two."),
    Action("older_version", "less_than_sign", "<", "older version", "The version of this column before this one."),
    Action("newer_version", "greater_than_sign", ">", "newer version", "The version of this column after this one."),
    Action(
        "cancel",
        "escape",
        "Esc",
        "stop",
        "Stop sampling. What was generated stays, marked.",
        footer=True,
        title="cancel sampling",
    ),
    Action("cancel_sample", "c", "c", "cancel one", "Stop the selected sample only.", title="cancel one sample"),
    Action("resample", "r", "r", "resample", "Draw n new samples in this column, with the seeds that follow."),
    Action("more", "plus,equals_sign", "+", "more samples", "Five more samples in this column (n + 5)."),
    Action("next_prompt", "right_square_bracket,full_stop", "]", "next prompt", "The next prompt of the set."),
    Action("previous_prompt", "left_square_bracket,comma", "[", "previous prompt", "The prompt before this one."),
    Action("edit_prompt", "e", "e", "edit prompt", "Write a prompt of your own."),
    Action("add_column", "a", "a", "add column", "Another condition beside the ones shown."),
    Action("duplicate_column", "d", "d", "duplicate", "The same condition again, with the seeds that follow."),
    Action("remove_column", "x", "x", "remove column", "Take the column away; its samples stay in the session."),
    Action("reference", "asterisk,m", "*", "reference", "Compare the others with this column."),
    Action("column_left", "left,h,shift+tab", "←", "column left", "Select the column to the left."),
    Action("column_right", "right,l,tab", "→", "column right", "Select the column to the right."),
    Action("sample_up", "up,k", "↑", "sample up", "Select the sample above."),
    Action("sample_down", "down,j", "↓", "sample down", "Select the sample below."),
    Action("page_up", "pageup", "PgUp", "page up", "Scroll the samples of this column up."),
    Action("page_down", "pagedown", "PgDn", "page down", "Scroll the samples of this column down."),
    Action("view", "enter", "Enter", "view sample", "The selected sample on a screen of its own."),
    Action("whole", "f", "f", "full texts", "Show samples whole, or only as much as fits."),
    Action("copy", "y", "y", "copy", "Copy the selected sample to the clipboard (OSC 52)."),
    Action("save", "w", "w", "save", "Write the selected sample to a text file in the current folder."),
    Action("note", "n", "n", "notes", "Notes on this session."),
    Action("new_session", "ctrl+n", "^N", "new session", "Leave this session as it is and begin another one."),
)

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
    Action("sample_up", "up,k", "↑", "previous", "The sample before this one.", footer=True),
    Action("sample_down", "down,j", "↓", "next", "The sample after this one.", footer=True),
    Action("left", "left,h", "←", "left", "The sentence or token before; in the other views the column to the left."),
    Action(
        "right", "right,l", "→", "right", "The sentence or token after; in the other views the column to the right."
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
    Action("save", "w", "w", "save", "Write this sample to a text file in the current folder."),
)

PICKER = (
    Action("back", "escape", "Esc", "back", "Keep the prompt that was there.", footer=True),
    Action("pick", "enter", "Enter", "pick", "Put this prompt on the Bench.", footer=True, priority=True),
    Action("list_down", "down", "↓", "down", "The next line."),
    Action("list_up", "up", "↑", "up", "The line above."),
    *PAGING,
    Action("next_set", "tab", "Tab", "next set", "The next prompt set.", footer=True),
    Action("previous_set", "shift+tab", "Shift+Tab", "previous set", "The prompt set before this one."),
    Action("open_file", "f2", "F2", "open file", "Prompts of your own: .jsonl, .csv or .txt.", footer=True),
)

EDITOR = (*WRITING,)

CONDITION = (
    LEAVE,
    Action(
        "accept", "enter,f5", "Enter", "accept", "Check the fields and change the column.", footer=True, priority=True
    ),
    Action("field_down", "down", "↓", "next field", "The next field (Tab does the same)."),
    Action("field_up", "up", "↑", "field above", "The field above (Shift+Tab does the same)."),
    Action("next_choice", "f2", "F2", "next choice", "In model and mode: the next one that is known.", footer=True),
)
