"""What a prompt may have beside its text: the messages before it, and its place in a ladder of constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of a conversation; its content is stripped of outer white space."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A prompt's place in a ladder: the prompt `of` with the first of its constraints (Atmakuru et al. 2024, CS4).

    Attributes:
        of: id of the prompt that the ladder is made of
        constraints: those that stand in this prompt's text, none on the lowest rung
    """

    of: str
    constraints: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """How many constraints there are."""
        return len(self.constraints)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a prompt was made of whose variables were filled in.

    Attributes:
        of: id of the prompt with variables
        template: its text
        values: (name, value) of each of its variables, in order of their names
    """

    of: str
    template: str
    values: tuple[tuple[str, str], ...]


def why_no_prompt(turns: Sequence[Turn]) -> str:
    """Why these messages are none that a model answers to; empty where they are.

    A system message may come first; then user and assistant take turns, and the user has the last word.
    """
    said = [turn.role for turn in turns]
    if not said:
        return "there are none; expected one or more, the last one from the user"
    spoken = said[1:] if said[0] == "system" else said
    for place, role in enumerate(spoken):
        expected = "assistant" if place % 2 else "user"
        if role != expected:
            return f"message {place + len(said) - len(spoken)}: the role is {role!r}; expected {expected!r}"
    if not spoken or spoken[-1] != "user":
        return f"the last one is from the {said[-1]}; expected one from the user"
    return ""


def transcript(turns: Sequence[Turn]) -> str:
    """Messages as people read them, each under its role."""
    return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in turns)
