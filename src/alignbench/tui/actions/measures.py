"""Scores and investigations."""

from __future__ import annotations

from alignbench.tui.action import SCROLLING, Action

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
    *SCROLLING,
    Action(
        "investigation",
        "I",
        "I",
        "diversity",
        "Investigation 1: what moved between base, in-context and aligned columns, over all prompts of the session.",
        footer=True,
        title="investigation 1",
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
    *SCROLLING,
)
