"""What the keys of the survey screen do."""

from __future__ import annotations

from alignbench.tui.action import LINES, SCROLLING, Action

SURVEY = (
    Action("back", "escape,q,o", "Esc", "back", "Give up what is being read; else back to the Bench.", footer=True),
    Action("orders", "t", "t", "orders", "All orders of the options, the cyclic ones, or the given one.", footer=True),
    Action("persona", "p", "p", "persona", "Ask every column as somebody too, or as nobody again.", footer=True),
    Action("distance", "d", "d", "distance", "Total variation, JSD, W1 or representativeness.", footer=True),
    Action(
        "replies",
        "s",
        "s",
        "replies",
        "Draw replies of every column, spread over the orders, and show their shares too.",
        footer=True,
        title="draw replies",
    ),
    Action("next_prompt", "right_square_bracket,full_stop", "]", "next", "The next question of the set.", footer=True),
    Action("previous_prompt", "left_square_bracket,comma", "[", "previous", "The question before."),
    Action("again", "r", "r", "again", "Read what failed or was given up.", footer=True, title="read again"),
    *LINES,
    *SCROLLING,
)
