"""Reading TOML tables with errors that name the field and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast, get_args

from alignbench import bounds
from alignbench.bounds import Bound
from alignbench.errors import InputError, did_you_mean

_Choice = TypeVar("_Choice")


class TomlTable:
    """A table of a file. Every key has to be read, or `finish` refuses it."""

    def __init__(self, values: Mapping[str, Any], where: str, path: str = "") -> None:
        """where: the file, for messages. path: of the table in it, empty for the top."""
        self.where = where
        self._values = values
        self._path = path
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> list[str]:
        """Its keys, where they are names that the file gives."""
        return [*self._values]

    def raw(self, key: str) -> Any:
        """A value as it is; None where the key is left out."""
        self._known.append(key)
        return self._values.get(key)

    def text(self, key: str, default: str = "") -> str:
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.error(key, value, "a text")
        return value

    def integer(self, key: str, default: int, bound: Bound) -> int:
        value = self.raw(key)
        if value is None:
            return default
        if not bound.has(value):
            raise self.error(key, value, bound.expected(value))
        return int(value)

    def flag(self, key: str) -> bool:
        """True or false, false where it is left out."""
        value = self.raw(key)
        if not isinstance(value, bool | None):
            raise self.error(key, value, "true or false")
        return bool(value)

    def fraction(self, key: str, default: float | None) -> float | None:
        """A number over 0 and at most 1."""
        value = self.raw(key)
        if value is None:
            return default
        if not bounds.FRACTION.has(value):
            raise self.error(key, value, bounds.FRACTION.expected(value))
        return float(value)

    def choice(self, key: str, kind: Any, default: _Choice) -> _Choice:
        """One of the texts of a Literal type."""
        value = self.raw(key)
        if value is None:
            return default
        if value not in get_args(kind):
            near = f" {did_you_mean(value, get_args(kind))}".rstrip() if isinstance(value, str) else ""
            raise self.error(key, value, f"one of {', '.join(get_args(kind))}", near if "Did" in near else "")
        return cast(_Choice, value)

    def required(self, key: str) -> str:
        """A text that has to be there and is not blank."""
        value = self.text(key)
        if key not in self:
            raise InputError(f"{self.where}, field {self.name(key)}: missing; expected a text.")
        if not value.strip():
            raise self.error(key, value, "a text")
        return value

    def numbers(self, key: str, bound: Bound) -> tuple[float, ...]:
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(map(bound.has, value)):
            raise self.error(key, value, f"a list of numbers, each {bound.words}")
        return tuple(map(float, value))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, value, "a list of texts that are not empty")
        return tuple(value)

    def table(self, key: str) -> TomlTable | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(key, value, "a table")
        return TomlTable(value, self.where, self.name(key))

    def tables(self, key: str) -> list[Mapping[str, object]] | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, value, "tables")
        return value

    def finish(self, others: Iterable[str] = ()) -> None:
        """Refuse a key that nothing has read."""
        known = [*self._known, *others]
        for key in self._values:
            if key not in known:
                near = did_you_mean(key, known) or f"Known: {', '.join(sorted(known))}."
                raise InputError(f"{self.where}, field {self.name(key)}: unknown. {near}")

    def name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def error(self, key: str, value: object, expected: str, more: str = "") -> InputError:
        return InputError(f"{self.where}, field {self.name(key)}: {value!r}; expected {expected}.{more}")
