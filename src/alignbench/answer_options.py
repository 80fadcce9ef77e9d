"""The options of a survey question, and how groups of people answered it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What options are called in the order in which they are shown; a question has no more of them."""

SHARES_OFF = 0.0101  # shares may sum to this much over or under 1: published ones are rounded


@dataclass(frozen=True, slots=True)
class AnswerOption:
    """One option.

    Attributes:
        text: stripped
        value: its place on an ordinal scale, None where it has none
        refusal: whether choosing it is to give no answer, such as "Prefer not to say"
    """

    text: str
    value: float | None = None
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class HumanGroup:
    """How a group of people answered. shares: one of each option, with a sum of 1; n: people, None if not known."""

    name: str
    shares: tuple[float, ...]
    n: int | None = None


@dataclass(frozen=True)
class AnswerOptions:
    """The options of a question in the order in which its file gives them. ValueError where they make no sense.

    Attributes:
        options: 2 to 26 of different texts, two of which are no refusals; all of those have values, or none has
        groups: of different names
        shown: the order in which the prompt's own text lists the options, as places in `options`; empty where the
            prompt is the question alone
        question: id of the question that the prompt asks in this order; empty where it is the question itself
        paraphrase_of: id of the question that this one asks in other words, or in another language, with as many
            options in the same order; empty where it is none
    """

    options: tuple[AnswerOption, ...]
    groups: tuple[HumanGroup, ...] = ()
    shown: tuple[int, ...] = ()
    question: str = ""
    paraphrase_of: str = ""

    def __post_init__(self) -> None:
        _check_options(self.options)
        names = [group.name for group in self.groups]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"the group {twice!r} is there twice; expected each group once")
        for group in self.groups:
            self._check_group(group)
        if self.shown and sorted(self.shown) != [*range(len(self.options))]:
            raise ValueError(f"shown is {[*self.shown]}; expected each place from 0 to {len(self.options) - 1} once")

    def _check_group(self, group: HumanGroup) -> None:
        called, shares = f"group {group.name!r}", group.shares
        if not group.name.strip():
            raise ValueError("a group has no name")
        if len(shares) != len(self.options):
            raise ValueError(f"{called} has {len(shares)} shares; expected {len(self.options)}, one of each option")
        if bad := next((share for share in shares if not 0.0 <= share <= 1.0), None):
            raise ValueError(f"{called} has the share {bad:g}; expected 0 to 1")
        if abs((total := math.fsum(shares)) - 1.0) > SHARES_OFF:
            raise ValueError(f"the shares of {called} sum to {total:.6g}; expected 1")
        if not any(shares[i] for i in self.answers):
            raise ValueError(f"{called} has refusals alone; expected a share of an answer")
        if group.n is not None and group.n < 1:
            raise ValueError(f"{called} has n {group.n}; expected 1 person or more")

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Of all options."""
        return tuple(option.text for option in self.options)

    @cached_property
    def answers(self) -> tuple[int, ...]:
        """Places of the options that are no refusals: distributions are over these."""
        return tuple(i for i, option in enumerate(self.options) if not option.refusal)

    @cached_property
    def values(self) -> tuple[float, ...] | None:
        """Of the answers; None where they have no values."""
        there = [self.options[i].value for i in self.answers]
        return tuple(value for value in there if value is not None) or None

    def among_answers(self, shares: Sequence[float]) -> tuple[float, ...]:
        """Shares of all options, as shares of the answers alone, with a sum of 1. Some answer has to have one."""
        kept = [shares[i] for i in self.answers]
        total = math.fsum(kept)
        return tuple(share / total for share in kept)

    def why_no_paraphrase(self, other: AnswerOptions) -> str:
        """Why these cannot be the options of the other question in other words; empty where they can be."""
        if other.paraphrase_of:
            return f"that question is a paraphrase itself, of {other.paraphrase_of!r}; expected the id of that one"
        if len(self.options) != len(other.options):
            return f"it has {len(other.options)} options and this one has {len(self.options)}; expected as many"
        if self.answers != other.answers:
            return "other options of it are refusals; expected the same ones, in the same order"
        return ""

    def in_order(self, shown: Sequence[int], question: str) -> Self:
        """The same for a prompt whose text lists the options in this order."""
        return replace(self, shown=tuple(shown), question=question)

    def to_json(self) -> dict[str, Any]:
        """`options`, `groups` and `paraphrase_of` as a prompt file has them, and `shown` and `question` where there are
        any."""
        value: dict[str, Any] = {"options": [_option_json(option) for option in self.options]}
        if self.groups:
            value["groups"] = {group.name: _group_json(group) for group in self.groups}
        if self.shown:
            value |= {"shown": [*self.shown], "question": self.question}
        if self.paraphrase_of:
            value["paraphrase_of"] = self.paraphrase_of
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `to_json` gave. ValueError for what makes no sense."""
        options = (
            AnswerOption(each["text"], each.get("value"), each.get("refusal", False))
            for each in (each if isinstance(each, dict) else {"text": each} for each in value["options"])
        )
        groups = (
            HumanGroup(name, tuple(each["shares"]), each.get("n"))
            for name, each in (
                (name, each if isinstance(each, dict) else {"shares": each})
                for name, each in value.get("groups", {}).items()
            )
        )
        named = {name: value.get(name, "") for name in ("question", "paraphrase_of")}
        return cls(tuple(options), tuple(groups), tuple(value.get("shown", ())), **named)


def _check_options(options: Sequence[AnswerOption]) -> None:
    if not all(option.text.strip() for option in options):
        raise ValueError("an option has no text")
    answers = [option for option in options if not option.refusal]
    if len(answers) < 2:
        refusals = f" and {len(options) - len(answers)} of refusal" if len(options) > len(answers) else ""
        raise ValueError(f"{len(answers)} options that answer{refusals}; expected 2 or more that answer")
    if len(options) > len(LETTERS):
        raise ValueError(f"{len(options)} options; expected at most {len(LETTERS)}, one of each letter")
    folded = [" ".join(option.text.casefold().split()) for option in options]
    if twice := next((option.text for i, option in enumerate(options) if folded[i] in folded[:i]), ""):
        raise ValueError(f"the option {twice!r} is there twice; expected options of different texts")
    valued = [option.value is not None for option in answers]
    if any(valued) and not all(valued):
        raise ValueError("some options have a value and some have none; expected one of every option that answers")
    if any(option.value is not None and not math.isfinite(option.value) for option in options):
        raise ValueError("an option's value is no finite number")
    if any(option.refusal and option.value is not None for option in options):
        raise ValueError("an option of refusal has a value; expected none, as it is no place on the scale")


def _option_json(option: AnswerOption) -> str | dict[str, Any]:
    if option.value is None and not option.refusal:
        return option.text
    told: dict[str, Any] = {"text": option.text}
    if option.value is not None:
        told["value"] = option.value
    if option.refusal:
        told["refusal"] = True
    return told


def _group_json(group: HumanGroup) -> list[float] | dict[str, Any]:
    return [*group.shares] if group.n is None else {"shares": [*group.shares], "n": group.n}
