"""What a column is sampled with: n, sampling parameters, seed and mode, of one column or of all."""

from __future__ import annotations

from typing import Any

from alignbench.spec import SETTINGS, Condition
from alignbench.tui.condition_text import SHORT
from alignbench.tui.text import count
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.state import Bench

COLUMN_SETTINGS = ("n", *SETTINGS)


def setting_of(column: Column, setting: str) -> Any:
    """The value of n or of one of `SETTINGS`; None where nobody recorded it."""
    return column.n if setting == "n" else column.condition.settings[setting]


def with_setting(column: Column, setting: str, value: Any) -> Column:
    """The column with another value of it; its versions stay behind."""
    if setting == "n":
        return Column(column.condition, value)
    own = column.condition
    settings = own.settings | {setting: value}
    return Column(Condition.of_settings(own.name, own.model, own.context, settings), column.n)


def set_in_all(bench: Bench, setting: str, value: Any, words: str) -> str:
    """Give every column this value; samples that are there stay, as a version. What was changed and what was not.

    Args:
        bench: The Bench.
        setting: One of `COLUMN_SETTINGS`.
        value: Its value.
        words: The same as people write it.
    """
    selected, changed, kept, stay = bench.selected, [], [], []
    for at, column in enumerate(tuple(bench.columns)):
        to, who = with_setting(column, setting, value), letter(at)
        if setting_of(column, setting) == value:
            continue
        if column.condition.model.is_imported:
            stay.append(f"{who} was imported")
        elif setting != "n" and bench.cell(column).busy:
            stay.append(f"{who} is being sampled")
        else:
            bench.change(column, to)
            now = bench.columns[at]
            if setting_of(now, setting) != value:
                stay.append(f"{who} would be another column again")
                continue
            changed.append(who)
            kept += [who] if len(now.history) > len(column.history) else []
    bench.selected = selected
    name = SHORT.get(setting, setting)
    said = [f"{name} is now {words} in {count(len(changed), 'column')}: {', '.join(changed)}."]
    if not changed:
        said = [f"{name} is {words} in every column already." if not stay else f"{name} is changed in no column."]
    if kept:
        said.append(f"Samples that were there stay, as the version before (<): {', '.join(kept)}.")
    return " ".join([*said, *(f"{why}: it stays as it was." for why in stay)])
