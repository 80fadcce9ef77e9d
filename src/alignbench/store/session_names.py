"""What a session is called until somebody names it: its date, what is asked in it, and of which models."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.textfiles import split_lines

MOST = 3  # sets, and models
QUOTED = 40  # characters of a prompt that is of no set


def session_name(created: str, sets: Sequence[str], typed: str, models: Sequence[str]) -> str:
    """The name of a session: 2026-11-28 open-ended · demo-aligned, demo-base.

    Args:
        created: When it began, in ISO 8601.
        sets: The prompt sets that its prompts are from.
        typed: The first of its prompts that is of no set, which stands for them where there is no set.
        models: By name.
    """
    asked = _listed(sets) or (f"“{_beginning(typed)}”" if typed.strip() else "")
    return " ".join(filter(None, (created[:10], asked, "· " * bool(models) + _listed(models))))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(" ".join(name.split()) for name in names[:MOST]) + more


def _beginning(text: str) -> str:
    line = " ".join(split_lines(text.strip())[0].split())
    return line if len(line) <= QUOTED else f"{line[: QUOTED - 1].rstrip()}…"
