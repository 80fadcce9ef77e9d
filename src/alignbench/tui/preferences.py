"""What the app remembers of how a person wants it: the theme."""

from __future__ import annotations

from contextlib import suppress

from alignbench.errors import AlignbenchError
from alignbench.paths import config_dir

_NAME = "app.toml"
_LONGEST = 10_000  # characters of a file that is read


def kept_theme() -> str:
    """The name of the theme that was chosen last; empty where none was, or the file cannot be read."""
    from alignbench.parsing import parse_toml

    with suppress(OSError, ValueError):
        with (config_dir() / _NAME).open(encoding="utf-8") as file:
            name = parse_toml(file.read(_LONGEST)).get("theme")
        return name if isinstance(name, str) else ""
    return ""


def keep_theme(name: str) -> None:
    """Remember a theme. Where nothing can be written, it lasts as long as the app runs."""
    from alignbench.output_files import write_text

    with suppress(AlignbenchError, OSError):
        config_dir().mkdir(parents=True, exist_ok=True)
        write_text(config_dir() / _NAME, f'theme = "{name}"\n')
