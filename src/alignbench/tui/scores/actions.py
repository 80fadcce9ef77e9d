"""What the keys of the scores screen do."""

from __future__ import annotations

from dataclasses import replace

from alignbench.tui.action import INVESTIGATE, SCROLLING, Action

SCORES = (
    Action("back", "escape,f7,q", "Esc", "back", "Back to the Bench.", footer=True),
    Action("view_table", "1", "1", "table", "Every score of every column.", footer=True, title="table of scores"),
    Action(
        "view_recovery", "2", "2", "recovery", "Similarity to the reference between floor and ceiling.", footer=True
    ),
    Action("view_spread", "3", "3", "prompts", "The chosen score over the session's prompts.", footer=True),
    Action("view_answers", "4", "4", "answers", "The different answers of each column.", footer=True),
    Action(
        "view_matrix", "5", "5", "matrix", "How alike the samples of each two columns are.", title="matrix of columns"
    ),
    Action(
        "view_branching",
        "6",
        "6",
        "branching",
        "The branching factor by position of the token.",
        title="branching factor along samples",
    ),
    Action("row_up", "up,k", "↑", "up", "Choose the score or answer above."),
    Action("row_down", "down,j", "↓", "down", "Choose the score or answer below."),
    Action("column_left", "left,h,shift+tab", "←", "left", "Select the column to the left."),
    Action("column_right", "right,l,tab", "→", "right", "Select the column to the right."),
    *SCROLLING,
    replace(INVESTIGATE, footer=True),
    Action("run_score", "o", "o", "run", "Run the chosen score, where it runs on demand only.", footer=True),
    Action(
        "own_score",
        "n",
        "n",
        "own score",
        "Add a score of your own: a function in a Python file, or one that an installed package offers.",
        title="add a score of your own",
    ),
    Action("give_up", "c", "c", "give up", "Give up the scores that are being run on demand.", footer=True),
    Action("view", "enter", "Enter", "read", "Read the first sample that gives the chosen answer.", footer=True),
)
