"""How a server that alignbench starts itself is started: its command, its arguments, its environment.

All of it is stored with a session, and arguments are seen by everybody on the machine; so no secret may be in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from alignbench.errors import InputError

Words = tuple[str, ...]
Variables = tuple[tuple[str, str], ...]  # by name

_OURS = ("--host", "--port", "--uds", "--api-key", "--served-model-name", "--model", "--revision")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(?:^|_)(?:key|token|secret|password|passwd|pwd|credentials?)(?:$|_)", re.IGNORECASE)


def words(name: str, value: object) -> Words:
    """A command or arguments, as TOML and JSON have them. name: of the setting. Raises InputError."""
    if isinstance(value, list | tuple) and all(isinstance(word, str) and "\0" not in word for word in value):
        return tuple(value)
    raise InputError(f'{name} is {value!r}; expected a list of texts, as ["--max-model-len", "8192"].')


def arguments(value: object) -> Words:
    """Arguments of a server. Raises InputError, also for those that alignbench gives it."""
    args = words("args", value)
    for arg in args:
        if arg.partition("=")[0] in _OURS:
            raise InputError(f"args has {arg}, which alignbench sets itself.")
    return args


def variables(value: object) -> Variables:
    """Variables of an environment, of a table or of pairs. Raises InputError, also for one that is a secret by name."""
    items = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(items, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in items
    ):
        raise InputError(f'env is {value!r}; expected a table of texts, as {{ CUDA_VISIBLE_DEVICES = "0,1" }}.')
    for name, text in items:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(f"env has {name!r}; expected the name of a variable.")
        if _SECRET.search(name):
            raise InputError(
                f"env has {name}, which sounds like a secret, and sessions store how a model is loaded. Set it in the "
                "environment of alignbench: the server gets that too."
            )
        if not isinstance(text, str) or "\0" in text:
            raise InputError(f"env.{name} is {text!r}; expected a text.")
    return tuple(sorted((name, text) for name, text in items))
