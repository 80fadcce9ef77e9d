"""Every path the workbench uses, in one place; each can be moved by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from alignbench.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def config_dir() -> Path:
    """User configuration (models.toml). `ALIGNBENCH_CONFIG_DIR` moves it."""
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


def models_file() -> Path:
    """The user's own model names."""
    return config_dir() / "models.toml"


def typed_prompts_file() -> Path:
    """Prompts that were typed in the app, as a prompt set."""
    return config_dir() / "typed-prompts.jsonl"


def default_database() -> Path:
    """`ALIGNBENCH_DB`, or `runs/alignbench.db` below the current folder."""
    return Path(os.environ.get("ALIGNBENCH_DB") or Path("runs") / "alignbench.db")


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
