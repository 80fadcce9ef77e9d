"""Packages that come with an extra: who needs one that is missing is told how it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from alignbench.errors import AlignbenchError


def install_line(*extras: str) -> str:
    """The command that installs what these extras have."""
    return f"pip install 'alignbench[{','.join(extras)}]'"


@contextmanager
def needed(who: str, *extras: str, error: type[AlignbenchError] = AlignbenchError) -> Iterator[None]:
    """Around the imports of packages that these extras bring: where one is missing, it is named with the install line.

    who: begins the message, with its verb: `Figures need`. error: what is raised.
    """
    try:
        yield
    except ImportError as missing:
        raise error(_message(who, missing, extras)) from missing


def check_installed(who: str, packages: tuple[str, ...], *extras: str) -> None:
    """The same of packages that are not imported here but in a process of their own. AlignbenchError where one is
    missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise AlignbenchError(_message(who, ModuleNotFoundError(name=package), extras))


def _message(who: str, missing: ImportError, extras: tuple[str, ...]) -> str:
    if isinstance(missing, ModuleNotFoundError) and missing.name:
        what = f"{missing.name.partition('.')[0].replace('_', '-')}, which is not installed"
    else:
        what = f"a package that cannot be imported ({missing})"
    return f"{who} {what}: {install_line(*extras)}"
