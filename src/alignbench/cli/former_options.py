"""Options that are arguments now; commands that were written with them go on working."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand


class SessionCommand(TyperCommand):
    """A command whose argument SESSION may be given as the option --session."""

    option: ClassVar[str] = "--session"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, as_argument(self.option, args))


class PilotCommand(SessionCommand):
    """A command whose argument SESSION may be given as the option --from."""

    option: ClassVar[str] = "--from"


def as_argument(option: str, words: Sequence[str]) -> list[str]:
    """The words of a command, the value of an option without its name; what comes after `--` is no option."""
    given: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return [*given, word, *rest]
        name, has_value, value = word.partition("=")
        if name == option:
            word = value if has_value else next(rest, "")
            if not word:
                raise typer.BadParameter(f"{option} needs a session's number.")
        given.append(word)
    return given
