"""Checks of what a caller named; messages name options as the commands do."""

from __future__ import annotations

from typing import Any

from alignbench.errors import InputError, did_you_mean


def one_of(option: str, value: str, choices: tuple[Any, ...]) -> Any:
    """The value; InputError where it is none of the choices."""
    if value not in choices:
        near = did_you_mean(value, choices)
        raise InputError(f"{option} is {value!r}; expected {' or '.join(choices)}. {near}".rstrip())
    return value
