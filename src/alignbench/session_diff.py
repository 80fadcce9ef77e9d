"""Two sessions beside each other: which prompts, conditions and settings differ, and which texts are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alignbench.spec import NOT_RECORDED, Condition, Prompt
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class ConditionDiff:
    """A condition of both sessions.

    Attributes:
        names: in either
        differs: settings that are not the same, with both values; none where the hashes are equal
        identical, different: samples of one prompt and index that are done in both, by whether their texts are equal
    """

    names: tuple[str, str]
    differs: Mapping[str, tuple[Any, Any]]
    identical: int
    different: int


@dataclass(frozen=True, slots=True)
class SessionDiff:
    """How two sessions differ. A pair `only_...` is of the first and of the second session.

    Attributes:
        sessions: the two numbers
        prompts: in both
        only_prompts: ids of prompts that the other one lacks
        conditions: in both
        only_conditions: names of conditions that the other one has neither by content nor by name
    """

    sessions: tuple[int, int]
    prompts: int
    only_prompts: tuple[tuple[str, ...], tuple[str, ...]]
    conditions: tuple[ConditionDiff, ...]
    only_conditions: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        return "", *(f"session {session}" for session in self.sessions)

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        """What differs, a row each: what it is, and how the first and the second session have it."""
        yield "prompts in both", str(self.prompts), str(self.prompts)
        yield "prompts in one only", *(", ".join(ids) or "none" for ids in self.only_prompts)
        yield "conditions in one only", *(", ".join(names) or "none" for names in self.only_conditions)
        for each in self.conditions:
            yield "condition", *each.names
            yield from ((f"  {setting}", str(ours), str(theirs)) for setting, (ours, theirs) in each.differs.items())
            yield "  texts", f"{each.identical} identical", f"{each.different} different"


def compare_sessions(store: Store, first: int, second: int) -> SessionDiff:
    """Compare two sessions of one file; prompts go by id and text and then by text, conditions by content and then by
    name."""
    for session in (first, second):
        store.session(session)
    sides = store.prompts(first), store.prompts(second)
    same = _same_prompts(*sides)
    only = [each.id for each in sides[0] if each.key not in same]
    only_theirs = [each.id for each in sides[1] if each.key not in same.values()]
    pairs = list(_pairs(store.conditions(first), store.conditions(second)))
    matched = [{each[side].name for each in pairs} for side in (0, 1)]
    return SessionDiff(
        sessions=(first, second),
        prompts=len(same),
        only_prompts=(tuple(only), tuple(only_theirs)),
        conditions=tuple(_condition(store, (first, second), same, *pair) for pair in pairs),
        only_conditions=(
            tuple(each.name for each in store.conditions(first) if each.name not in matched[0]),
            tuple(each.name for each in store.conditions(second) if each.name not in matched[1]),
        ),
    )


def _same_prompts(first: Sequence[Prompt], second: Sequence[Prompt]) -> dict[str, str]:
    """Keys of prompts of the first session -> of the second one: each is one of the other at most."""
    there = {prompt.key for prompt in second}
    same = {prompt.key: prompt.key for prompt in first if prompt.key in there}
    rest: dict[str, list[str]] = {}
    for prompt in second:
        if prompt.key not in same:
            rest.setdefault(prompt.hash, []).append(prompt.key)
    for prompt in first:
        if prompt.key not in same and (others := rest.get(prompt.hash)):
            same[prompt.key] = others.pop(0)
    return same


def _pairs(first: list[Condition], second: list[Condition]) -> Iterator[tuple[Condition, Condition]]:
    by_hash = {each.hash: each for each in second}
    same = {each.hash for each in first} & by_hash.keys()
    by_name = {each.name: each for each in second if each.hash not in same}
    for each in first:
        if other := by_hash.get(each.hash) or by_name.get(each.name):
            yield each, other


def _condition(
    store: Store, sessions: tuple[int, int], prompts: Mapping[str, str], one: Condition, other: Condition
) -> ConditionDiff:
    cells = [store.stored_cells(session, each) for session, each in zip(sessions, (one, other), strict=True)]
    identical = different = 0
    for key in cells[0].keys() & prompts.keys():
        if prompts[key] not in cells[1]:
            continue
        ids = cells[0][key].id, cells[1][prompts[key]].id
        texts = [
            {row.sample: row.text for row in store.samples(session, cell_id=id) if row.status == "done"}
            for session, id in zip(sessions, ids, strict=True)
        ]
        in_both = texts[0].keys() & texts[1].keys()
        equal = sum(texts[0][i] == texts[1][i] for i in in_both)
        identical, different = identical + equal, different + len(in_both) - equal
    ours, theirs = _settings(one), _settings(other)
    settings = [*ours, *(key for key in theirs if key not in ours)] if one.hash != other.hash else []
    differs = {key: (ours.get(key), theirs.get(key)) for key in settings if ours.get(key) != theirs.get(key)}
    return ConditionDiff((one.name, other.name), differs, identical, different)


def _settings(condition: Condition) -> dict[str, Any]:
    context = {f"context.{key}": value for key, value in condition.context.to_json().items() if key != "name"}
    return {
        "model": condition.model.reference,
        **context,
        **{name: NOT_RECORDED if value is None else value for name, value in condition.settings.items()},
    }
