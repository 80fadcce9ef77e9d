"""What became of a column that was changed, in words."""

from __future__ import annotations

from alignbench.experiments.condition_changes import changes
from alignbench.tui.text import count, one_line
from alignbench.tui.workbench.column import Column, letter

_NAMED = 3  # changes of a condition; more of them are counted
_VALUE = 24  # cells of a value


def version_words(at: int, before: Column, now: Column) -> str:
    """`B is now v2; v1 is kept, <`: < and > are the keys that show the others. Empty where no version stayed behind.

    at: place of the column.
    """
    kept = [condition.hash for condition in now.history]
    if now.hash == before.hash or before.hash not in kept:
        return ""
    old = kept.index(before.hash)
    return f"{letter(at)} is now v{now.version + 1}; v{old + 1} is kept, {'<' if old < now.version else '>'}"


def changed_words(at: int, before: Column, now: Column) -> str:
    """The same, with what was changed; empty where nothing was. at: place of the column."""
    a, b = before.condition, now.condition
    parts = [f"{what} {one_line(old, _VALUE)} → {one_line(new, _VALUE)}" for what, old, new in changes(a, b)]
    parts += [f"n {before.n} → {now.n}"] if before.n != now.n else []
    if before.name != now.name:
        parts.append(f"called {one_line(now.name, _VALUE)}")
    if not parts:
        return ""
    more = [f"{count(len(parts) - _NAMED, 'more change')}"] if len(parts) > _NAMED else []
    return f"{version_words(at, before, now) or letter(at)}: {', '.join([*parts[:_NAMED], *more])}."
