"""What the keys of Investigation 1 do."""

from __future__ import annotations

from alignbench.tui.action import LINES, SCROLLING, Action

INVESTIGATION = (
    Action("back", "escape,q,I", "Esc", "back", "Back to where you were.", footer=True),
    Action("again", "r", "r", "again", "Compute it again, from what is finished now.", title="compute again"),
    Action(
        "judge",
        "J",
        "J",
        "judge",
        "Have a model judge the quality of all responses, the stance of those to contested prompts, and which "
        "constraints responses keep to.",
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
    Action("view_findings", "1", "1", "findings", "What moved, in sentences."),
    Action("view_diversity", "2", "2", "diversity", "Every score with its interval, lengths and entropy."),
    Action("view_judged", "3", "3", "judged", "Diversity before and after a quality gate; stances."),
    Action("view_coverage", "4", "4", "coverage", "How much of a response k others say together."),
    Action("view_frontier", "5", "5", "frontier", "Diversity against quality and similarity."),
    Action("view_pluralism", "6", "6", "pluralism", "Sides of contested prompts, phrases in common, the matrix."),
    Action(
        "view_constraints",
        "7",
        "7",
        "constraints",
        "Satisfaction, diversity and length as prompts set more constraints.",
        title="ladders of constraints",
    ),
    *LINES,
    *SCROLLING,
)
