"""Other programs' files as responses, one at a time, each with its prompt and where it is from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.importing.values import ImportedSample
from alignbench.spec import IMPORTED, NOT_RECORDED, SETTINGS, Condition, Context, Kind, Model, Prompt, written_setting

_SHORT = {"temperature": "T", "max_tokens": "max"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file tells of how a response was made.

    Attributes:
        model: its name, or that of the condition where the file has one
        settings: those of `spec.SETTINGS` that are recorded, by name
    """

    model: str
    kind: Kind = "aligned"
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedResponse:
    """One response from a file.

    Attributes:
        where: file and line, or what the file calls it, for messages
        number: its index among the samples of its prompt and condition, None where the file does not number them
        key: what its program calls it; one that comes twice is kept once. Empty where it has no name of its own
    """

    where: str
    prompt: Prompt
    origin: Origin
    sample: ImportedSample
    number: int | None = None
    key: str = ""


@dataclass(slots=True)
class ImportedResponses:
    """Files, to be gone through once.

    Attributes:
        name: of the session that they become
        source: the format and the files, for the manifest
        rows: what is in them; InputError where a file is not as its format has it
        left_out: how much of what was passed over so far, in words, such as "rows of the filter x"
        notes: what else a reader should know; complete when all rows have been gone through
        facts: of models by name, what else the files tell of them, for the manifest
    """

    name: str
    source: Mapping[str, Any]
    rows: Iterable[ImportedResponse]
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def all_notes(self) -> Iterator[str]:
        """Notes, and what was left out."""
        yield from self.notes
        yield from (f"not imported: {n:,} {what}" for what, n in sorted(self.left_out.items()))


class Conditions:
    """The conditions that responses are of, by where they are from.

    The first one of a model is called as the model; one of other settings is called after what differs.
    """

    def __init__(self, base: Collection[str] = ()) -> None:
        """base: names of models that are base models, whatever their files say."""
        self._base = {*base}
        self._known: dict[Origin, Condition] = {}

    def __iter__(self) -> Iterator[Condition]:
        """In order of first appearance."""
        return iter(self._known.values())

    def of(self, origin: Origin, where: str) -> Condition:
        """The condition of a response. InputError where a model is called base in one row and aligned in another."""
        known = self._known.get(origin)
        if known is None:
            known = self._known[origin] = self._new(origin, where)
        return known

    def check_base(self) -> None:
        """InputError where a model that is said to be a base model did not come up."""
        there = {origin.model for origin in self._known}
        for name in sorted(self._base - there):
            raise InputError(f"--base {name}: no response is from it. {did_you_mean(name, there)}".rstrip())

    def _new(self, origin: Origin, where: str) -> Condition:
        first = None
        for other, condition in self._known.items():
            if other.model != origin.model:
                continue
            first = first or condition
            if other.kind != origin.kind:
                raise InputError(f'{where}, field "kind": {origin.model!r} was {other.kind} before; expected one kind.')
        told = dict(origin.settings)
        settings = {name: told.get(name) for name in SETTINGS}
        name = origin.model if first is None else self._other_name(origin.model, first.settings, settings)
        kind: Kind = "base" if origin.model in self._base else origin.kind
        model = Model(origin.model, IMPORTED + origin.model, kind)
        return Condition.of_settings(name, model, Context("imported", origin.model), settings)

    def _other_name(self, model: str, first: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
        taken = {condition.name for condition in self}
        differs = [
            f"{_SHORT.get(name, name)} {written_setting(value)}"
            for name, value in settings.items()
            if value != first[name]
        ]
        name = f"{model}, {', '.join(differs)}"
        return next(
            each for n in range(1, 2 + len(taken)) if (each := name if n == 1 else f"{name} ({n})") not in taken
        )


def settings_note(condition: Condition) -> dict[str, Any]:
    """For the manifest, that nothing is recorded of how a condition was sampled."""
    return {"settings": NOT_RECORDED} if condition.unrecorded == {*SETTINGS} else {}
