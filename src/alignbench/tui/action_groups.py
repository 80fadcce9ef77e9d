"""What each action is about, by which the palette has them together."""

from __future__ import annotations

from alignbench.tui.action import APP, Action
from alignbench.tui.bench.actions import BENCH

ON_BENCH = {
    "prompts": ("prompts", "next_prompt", "previous_prompt", "edit_prompt"),
    "columns": (
        "condition",
        "versions",
        "older_version",
        "newer_version",
        "scale_down",
        "scale_up",
        "add_column",
        "duplicate_column",
        "remove_column",
        "reference",
        "audit",
    ),
    "contexts": ("examples", "hint", "take_example"),
    "samples": (
        "sample",
        "sample_set",
        "sample_column",
        "cancel",
        "cancel_sample",
        "resample",
        "more",
        "view",
        "whole",
        "copy",
        "save",
    ),
    "scores": ("scores", "recovery", "investigation", "ledger", "survey"),
    "sessions": ("sessions", "note", "continue_last", "new_session"),
}
MOVES = {
    "column_left", "column_right", "left", "right", "up", "down", "first", "last", "sample_up", "sample_down",
    "first_sample", "last_sample", "row_up", "row_down", "next_sample", "previous_sample", "line_up", "line_down",
    "page_up", "page_down", "to_start", "to_end", "to_list", "list_up", "list_down", "list_start", "list_end",
    "field_up", "field_down", "next_field", "turn",
}  # fmt: skip
_BENCH = {name: group for group, names in ON_BENCH.items() for name in names}


def group_of(action: Action) -> str:
    """What an action is about: prompts, columns ..., moving about, the app; else the screen that it is of."""
    if action in APP:
        return "app"
    if action.name in MOVES:
        return "move"
    return _BENCH[action.name] if action in BENCH else "here"
