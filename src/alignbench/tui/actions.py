"""Every action of the app, in one place: key bindings, command palette and help are all made from this list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.screen import Screen


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does on one screen.

    name: the method is `action_<name>`. keys: Textual's names, separated by commas. shown: the key as people write it.
    label: one or two words. help: a sentence. footer: whether it stands at the bottom of the screen. title: what the
    palette and the help call it, where the label is too short for that. spare: where not all keys fit at the bottom,
    the higher ones go first; F1 and the palette have them all.
    """

    name: str
    keys: str
    shown: str
    label: str
    help: str
    footer: bool = False
    priority: bool = False
    title: str = ""
    spare: int = 0

    @property
    def called(self) -> str:
        return self.title or self.label


APP = (
    Action("help", "f1", "F1", "help", "What the keys of this screen do.", footer=True, priority=True),
    Action("command_palette", "ctrl+p", "^P", "palette", "Find any action by its name.", priority=True),
    Action("quit", "ctrl+q", "^Q", "quit", "Stop what runs, keep what finished, leave.", footer=True, priority=True),
)

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
        title="investigate diversity",
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
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
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
    Action("page_down", "pagedown", "PgDn", "page down", "Down by a page."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page."),
    Action("next_set", "tab", "Tab", "next set", "The next prompt set.", footer=True),
    Action("previous_set", "shift+tab", "Shift+Tab", "previous set", "The prompt set before this one."),
    Action("open_file", "f2", "F2", "open file", "Prompts of your own: .jsonl, .csv or .txt.", footer=True),
)

EDITOR = (
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
    Action("accept", "f5,ctrl+enter", "F5", "accept", "Take what is written here.", footer=True),
)

CONDITION = (
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
    Action(
        "accept", "enter,f5", "Enter", "accept", "Check the fields and change the column.", footer=True, priority=True
    ),
    Action("field_down", "down", "↓", "next field", "The next field (Tab does the same)."),
    Action("field_up", "up", "↑", "field above", "The field above (Shift+Tab does the same)."),
    Action("next_choice", "f2", "F2", "next choice", "In model and mode: the next one that is known.", footer=True),
)

EXAMPLES = (
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
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
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
    Action("accept", "f5,ctrl+enter", "F5", "accept", "Take what is written here.", footer=True),
    Action("turn", "tab", "Tab", "next field", "Prompt, response, hint.", footer=True),
)

SETS = (
    Action("cancel", "escape", "Esc", "leave", "Keep the set that was there.", footer=True),
    Action("open_file", "f2", "F2", "open file", "A set of your own: .jsonl, .csv, or URIAL's .txt.", footer=True),
    Action("pick", "enter", "Enter", "pick", "Take the examples from this set.", footer=True),
)

HINT = (
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
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
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
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
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
)

SCORES = (
    Action("back", "escape,f7,q", "Esc", "back", "Back to the Bench.", footer=True),
    Action("view_table", "1", "1", "table", "Every score of every column.", footer=True, title="table of scores"),
    Action(
        "view_recovery", "2", "2", "recovery", "Similarity to the reference between floor and ceiling.", footer=True
    ),
    Action("view_spread", "3", "3", "prompts", "The chosen score over the session's prompts.", footer=True),
    Action("view_answers", "4", "4", "answers", "The different answers of each column.", footer=True),
    Action("row_up", "up,k", "↑", "up", "Choose the score or answer above."),
    Action("row_down", "down,j", "↓", "down", "Choose the score or answer below."),
    Action("column_left", "left,h,shift+tab", "←", "left", "Select the column to the left."),
    Action("column_right", "right,l,tab", "→", "right", "Select the column to the right."),
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
    Action(
        "investigation",
        "I",
        "I",
        "diversity",
        "Investigation 1: what moved between base, in-context and aligned columns, over all prompts of the session.",
        footer=True,
        title="investigate diversity",
    ),
    Action("run_score", "o", "o", "run", "Run the chosen score, where it runs on demand only.", footer=True),
    Action("give_up", "c", "c", "give up", "Give up the scores that are being run on demand.", footer=True),
    Action("view", "enter", "Enter", "read", "Read the first sample that gives the chosen answer.", footer=True),
)

INVESTIGATION = (
    Action("back", "escape,q,I", "Esc", "back", "Back to where you were.", footer=True),
    Action("view_findings", "1", "1", "findings", "What moved, in sentences."),
    Action("view_diversity", "2", "2", "diversity", "Every score with its interval, lengths and surprisal."),
    Action("view_judged", "3", "3", "judged", "Diversity before and after a quality gate; stances."),
    Action("view_coverage", "4", "4", "coverage", "How much of a response k others say together."),
    Action("view_frontier", "5", "5", "frontier", "Diversity against quality and similarity."),
    Action("again", "r", "r", "again", "Compute it again, from what is finished now.", title="compute again"),
    Action(
        "judge",
        "j",
        "j",
        "judge",
        "Have a model judge the quality of all responses, and the stance of those to contested prompts.",
        footer=True,
        title="judge responses",
    ),
    Action(
        "temperatures",
        "t",
        "t",
        "temperatures",
        "Sample every column at several temperatures, on all prompts of the session.",
        footer=True,
    ),
    Action("give_up", "c", "c", "give up", "Give up what is being computed, or stop the sampling.", footer=True),
    Action("line_up", "up", "↑", "up", "A line up."),
    Action("line_down", "down", "↓", "down", "A line down."),
    Action("page_up", "pageup", "PgUp", "page up", "Scroll up."),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Scroll down."),
)

SESSIONS = (
    Action("back", "escape,f8,q", "Esc", "back", "Back to the session that was open.", footer=True),
    Action("open", "enter", "Enter", "reopen", "Open the session where it was left.", footer=True),
    Action("new_session", "ctrl+n", "^N", "new", "Leave this session as it is and begin another one.", footer=True),
    Action("search", "slash", "/", "search", "Find samples of all sessions by the words in them.", footer=True),
    Action("report", "o", "o", "report", "The whole report of the session; w there writes it as a page.", footer=True),
    Action("export", "x", "x", "export", "Write samples to a file, of all conditions or of some.", footer=True),
    Action("mark", "space", "Space", "mark", "Mark the session, to merge or compare it with others.", footer=True),
    Action("merge", "m", "m", "merge", "Make one session of those that are marked, and of this one.", footer=True),
    Action("compare", "c", "c", "compare", "What differs between this session and the marked one.", footer=True),
    Action("delete", "d,delete", "d", "delete", "Delete the session and everything in it, after asking.", footer=True),
    Action("label", "l", "l", "label", "Say of pairs of its samples which is better, not knowing whose they are."),
    Action("rename", "r", "r", "rename", "Give the session another name."),
    Action("tags", "t", "t", "tags", "Tags of the session, with commas between."),
    Action("note", "n", "n", "notes", "Notes on the session, and another one."),
    Action("backup", "b", "b", "backup", "Copy the whole database as it is now, while others may write to it."),
)

SEARCH = (
    Action("back", "escape", "Esc", "back", "Back to the sessions.", footer=True),
    Action("open", "enter", "Enter", "open", "Open its session, at its prompt.", footer=True, priority=True),
    Action("list_down", "down", "↓", "down", "The next sample."),
    Action("list_up", "up", "↑", "up", "The sample above."),
    Action("page_down", "pagedown", "PgDn", "page down", "Down by a page."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page."),
)

EXPORT = (
    Action("cancel", "escape", "Esc", "leave", "Close without writing anything.", footer=True),
    Action("accept", "enter", "Enter", "write", "Write the file.", footer=True, priority=True),
    Action("next_field", "tab", "Tab", "next field", "From the file to the conditions and back.", footer=True),
)

TEXT = (
    Action("back", "escape,q", "Esc", "back", "Back to the sessions.", footer=True),
    Action("line_up", "up,k", "↑", "up", "Up by a line."),
    Action("line_down", "down,j", "↓", "down", "Down by a line."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page.", footer=True),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Down by a page.", footer=True),
)

REPORT = (
    *TEXT,
    Action("write", "w", "w", "write page", "Write the report as one HTML file into the current folder.", footer=True),
)

LABEL = (
    Action("back", "escape,q", "Esc", "leave", "Back; what is labelled is kept, and the rest waits.", footer=True),
    Action("undo", "u,backspace", "u", "undo", "Back to the pair before, to answer it again.", footer=True),
    Action("skip", "s", "s", "skip", "Come back to this pair when all others are done.", footer=True),
    Action("line_up", "up,k", "↑", "up", "Up by a line, in both."),
    Action("line_down", "down,j", "↓", "down", "Down by a line, in both."),
    Action("page_up", "pageup", "PgUp", "page up", "Up by a page, in both.", footer=True),
    Action("page_down", "pagedown,space", "PgDn", "page down", "Down by a page, in both.", footer=True),
    *(
        Action(f"answer({i})", str(i), str(i), f"answer {i}", "The answer with this number in the line of answers.")
        for i in range(1, 10)
    ),
)

CONFIRM = (
    Action("no", "escape,n", "n", "no", "Leave everything as it is.", footer=True),
    Action("yes", "y", "y", "yes", "Do it.", footer=True),
)

LINE = (
    Action("cancel", "escape", "Esc", "leave", "Close without changing anything.", footer=True),
    Action("accept", "enter", "Enter", "accept", "Take what is written here.", footer=True, priority=True),
)

HELP = (Action("back", "escape,q,enter", "Esc", "back", "Back to where you were.", footer=True),)


def bindings(scope: str, actions: Iterable[Action]) -> list[Binding]:
    """Textual bindings for a screen's actions; ids are `scope.name`. Help comes first at the bottom of every screen."""
    made = [_binding(scope, action, action.name) for action in actions]
    return made if scope == "app" else [_binding("app", APP[0], "app.help"), *made]


def _binding(scope: str, action: Action, name: str) -> Binding:
    return Binding(
        action.keys,
        name,
        action.label,
        show=action.footer,
        key_display=action.shown,
        priority=action.priority,
        tooltip=action.help,
        id=f"{scope}.{action.name}",
    )


SCOPES = {
    "app": APP,
    "bench": BENCH,
    "viewer": VIEWER,
    "prompts": PICKER,
    "editor": EDITOR,
    "condition": CONDITION,
    "examples": EXAMPLES,
    "example": EXAMPLE,
    "sets": SETS,
    "hint": HINT,
    "versions": VERSIONS,
    "audit": AUDIT,
    "ledger": LEDGER,
    "scores": SCORES,
    "investigation": INVESTIGATION,
    "sessions": SESSIONS,
    "search": SEARCH,
    "export": EXPORT,
    "text": TEXT,
    "report": REPORT,
    "label": LABEL,
    "confirm": CONFIRM,
    "line": LINE,
    "notes": LINE,
    "help": HELP,
}


def of_screen(screen: Screen[Any]) -> list[Action]:
    """The actions of a screen, found by the ids of its bindings, then those of every screen."""
    scopes = {binding.id.partition(".")[0] for _, binding in screen._bindings if binding.id} - {"app"}
    return [*(action for scope in sorted(scopes) for action in SCOPES[scope]), *APP]
