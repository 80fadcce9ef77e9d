"""Reading a TOML table strictly: a key that nobody asks for is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.textfiles import read_utf8


class Table:
    """A table of a file. `where` names both in messages."""

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self.where = where
        self._values = values
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        self._asked.append(key)
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank; without a default the key has to be there."""
        value = self._get(key, default)
        if value is None:
            raise InputError(f"{self.where}: {key} is missing; expected a text.")
        if not isinstance(value, str) or (key in self and not value.strip()):
            raise self.wrong(key, value, "a text")
        return value

    def whole(self, key: str, default: int, *, least: int) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, value, f"a whole number, {least} or more")
        return value

    def one_of(self, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self._get(key, default)
        if value not in choices:
            raise self.wrong(key, value, " or ".join(choices))
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is missing."""
        values = self._list(key)
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self.wrong(key, values, "a list of texts")
        return tuple(values)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers, empty where the key is missing."""
        values = self._list(key)
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            raise self.wrong(key, values, "a list of numbers")
        return tuple(float(value) for value in values)

    def table(self, key: str) -> Table:
        """A table in this one, empty where the key is missing."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a table")
        return Table(f"{self.where}, {key}", value)

    def tables(self, key: str) -> list[Table]:
        """A list of tables, [[key]]; empty where the key is missing."""
        values = self._list(key)
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, values, f"tables, [[{key}]]")
        return [Table(f"{self.where}, {key} {number}", value) for number, value in enumerate(values, start=1)]

    def items(self) -> Iterator[tuple[str, str]]:
        """All keys of a table of texts."""
        for key in self._values:
            yield key, self.text(key)

    def rest(self, known: tuple[str, ...]) -> dict[str, Any]:
        """The values of those of these keys that are there, as they are."""
        return {key: self._get(key, None) for key in known if key in self}

    def done(self) -> None:
        """InputError for a key that nobody has asked for, with those that are near to it."""
        for key in self._values:
            if key not in self._asked:
                raise InputError(f"{self.where}: unknown field {key!r}. {did_you_mean(key, self._asked)}".rstrip())

    def wrong(self, key: str, value: object, expected: str) -> InputError:
        return InputError(f"{self.where}: {key} is {value!r}; expected {expected}.")

    def _get(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        return self._values.get(key, default)

    def _list(self, key: str) -> list[Any]:
        values = self._get(key, [])
        if not isinstance(values, list):
            raise self.wrong(key, values, "a list")
        return values


def read_toml(path: Path) -> Table:
    """The top of a file. InputError where it cannot be read, or is not TOML, with the line."""
    try:
        return Table(str(path), tomllib.loads(read_utf8(path)))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}.") from None
