"""Every path the workbench uses, in one place; each can be moved by an environment variable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from alignbench.config import Config, config_of
from alignbench.errors import InputError

USUAL_DATABASE = Path("runs") / "alignbench.db"
_PACKAGE = Path(__file__).resolve().parent


def config_dir() -> Path:
    """User configuration (config.toml, models.toml). `ALIGNBENCH_CONFIG_DIR` moves it."""
    return Path(os.environ.get("ALIGNBENCH_CONFIG_DIR") or platformdirs.user_config_dir("alignbench"))


def cache_dir() -> Path:
    """What can be made again: assembled demo weights, indexes. `ALIGNBENCH_CACHE_DIR` moves it."""
    return Path(os.environ.get("ALIGNBENCH_CACHE_DIR") or platformdirs.user_cache_dir("alignbench"))


def weights_dir() -> Path:
    """Weights that had to be put together from a package. `ALIGNBENCH_WEIGHTS_DIR` moves it."""
    return Path(os.environ.get("ALIGNBENCH_WEIGHTS_DIR") or cache_dir() / "weights")


def adapters_dir() -> Path:
    """The embedded base model's adapters, a folder each. `ALIGNBENCH_ADAPTERS_DIR` moves it."""
    return Path(os.environ.get("ALIGNBENCH_ADAPTERS_DIR") or _PACKAGE / "models" / "adapters")


def embedding_cache() -> Path:
    """A database of embeddings that belong to no session, such as those of sentences."""
    return cache_dir() / "embeddings.db"


def log_dir() -> Path:
    """Log files of the engine workers."""
    return cache_dir() / "logs"


def config_file() -> Path:
    """What the user wants taken where a command line says nothing."""
    return config_dir() / "config.toml"


def user_config() -> Config:
    """What config.toml says, the same for as long as a process lives. InputError where it cannot be read."""
    return config_of(config_file())


@contextmanager
def said_in_config(field: str) -> Iterator[None]:
    """What goes wrong with a value of config.toml, an InputError, is said of its field there."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{config_file()}, field {field}: {error}") from None


def models_file() -> Path:
    """The user's own model names."""
    return config_dir() / "models.toml"


def typed_prompts_file() -> Path:
    """Prompts that were typed in the app, as a prompt set."""
    return config_dir() / "typed-prompts.jsonl"


def default_database() -> Path:
    """`ALIGNBENCH_DB`, else what config.toml says, else `runs/alignbench.db` below the current folder.

    InputError where config.toml cannot be read.
    """
    if named := os.environ.get("ALIGNBENCH_DB"):
        return Path(named)
    return user_config().database or USUAL_DATABASE


def existing_database(path: Path | None) -> Path:
    """A database file, the default one where none is named; InputError where there is none yet."""
    path = path or default_database()
    if not path.exists():
        raise InputError(f"There are no sessions yet: there is no database at {path}.")
    return path


def shipped_prompts() -> Path:
    """The folder of prompt sets that ships: inside the wheel, or at the top of a checkout."""
    installed = _PACKAGE / "_prompts"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "prompts"
