"""Errors that carry one clear message for the person at the terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from alignbench.masking import masked


class AlignbenchError(Exception):
    """Something failed; the message says what, where and what to do. No secret gets into it. Exit code 1."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(masked(message))


class InputError(AlignbenchError):
    """The user's input (a flag, a file, a name) cannot be used as it is. Exit code 2."""

    exit_code = 2


class EngineError(AlignbenchError):
    """An engine could not load a model or carry out a request. Exit code 1."""


class EngineLost(EngineError):
    """An engine is gone for good, such as a server that ended; its process has nothing left to do."""


class StoreError(AlignbenchError):
    """The session database could not be opened, read or written. Exit code 1."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the entries of `known` nearest to `name`, or all of them when few are known."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(choices)}." if 0 < len(choices) <= 12 else ""
