"""What the app remembers of how a person wants it: the theme that was chosen in it.

config.toml has the theme that the app begins with. One that is chosen in the app counts more, until config.toml says
another one than it said then: what was said last counts.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from alignbench.errors import AlignbenchError
from alignbench.paths import config_dir, user_config

_NAME = "app.toml"
_LONGEST = 10_000  # characters of a file that is read


def theme_file() -> Path:
    """Where the theme is kept that was chosen in the app."""
    return config_dir() / _NAME


def kept_theme() -> str:
    """The name of the theme that was chosen last in the app; empty where none was, or config.toml has said another
    since, or the file cannot be read."""
    from alignbench.parsing import parse_toml

    with suppress(OSError, ValueError):
        with theme_file().open(encoding="utf-8") as file:
            kept = parse_toml(file.read(_LONGEST))
        name = kept.get("theme")
        return name if isinstance(name, str) and kept.get("instead_of", "") == user_config().theme else ""
    return ""


def keep_theme(name: str) -> None:
    """Remember a theme. Where nothing can be written, it lasts as long as the app runs."""
    from alignbench.output_files import write_text

    with suppress(AlignbenchError, OSError):
        config_dir().mkdir(parents=True, exist_ok=True)
        before = user_config().theme
        instead_of = f"instead_of = {json.dumps(before)}  # what config.toml said\n" if before else ""
        write_text(theme_file(), f'theme = "{name}"\n{instead_of}')
