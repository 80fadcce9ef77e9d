"""The user's config.toml: what is taken where a command line says nothing. docs/configuration.md has every key."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.parsing import parse_toml, toml_line
from alignbench.textfiles import MissingFile, home_expanded, read_utf8
from alignbench.toml_table import TomlTable

NO_EMBEDDER = "none"
NOT_IN_USE = "no embedding model is in use"  # why there is no vector then
DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"  # the embedding model that comes with the package


@dataclass(frozen=True, slots=True)
class Config:
    """What config.toml says; what it leaves out is empty.

    Attributes:
        models: Names or references.
        prompts: A set that ships, or a file.
        database: The session database.
        embedder: A folder, the name of the embedded model, or none.
        judge: Name or reference of the model that judges.
        theme: Of the app.
        keys: (id of a binding, its keys as they were written), in the order of the file.
    """

    models: tuple[str, ...] = ()
    prompts: str = ""
    database: Path | None = None
    embedder: str = ""
    judge: str = ""
    theme: str = ""
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of config.toml.

    Attributes:
        name: Of the key.
        about: What it decides, a sentence.
        example: A value, as TOML.
        default: What is taken where nothing is said.
        is_list: Whether it is a list of texts, not one.
        variable: The environment variable that counts more; empty where there is none.
    """

    name: str
    about: str
    example: str
    default: str | tuple[str, ...]
    is_list: bool = False
    variable: str = ""


SETTINGS = (
    Setting(
        "models",
        "Models that the app opens on and that are sampled: names or references.",
        '["demo-base", "demo-aligned"]',
        ("demo-aligned", "demo-base"),
        is_list=True,
    ),
    Setting("prompts", "A prompt set that ships, or a file.", '"contested"', "open-ended"),
    Setting("database", "The session database.", '"~/alignbench.db"', "runs/alignbench.db", variable="ALIGNBENCH_DB"),
    Setting(
        "embedder",
        "For scores by embeddings: a sentence-transformers folder, or none.",
        '"~/models/all-mpnet-base-v2"',
        DEFAULT_EMBEDDER,
    ),
    Setting("judge", "The model that judges: a name or a reference.", '"demo-smollm2"', ""),
    Setting("theme", "Colours of the app, until another theme is chosen in it.", '"nord"', "alignbench-dark"),
)
KEYS = "keys"


def template() -> str:
    """A config.toml that says nothing yet: every key, commented out."""
    lines = [
        "# What alignbench takes where a command line says nothing. A flag counts more",
        "# than the environment, and that more than this file. A relative path starts at",
        "# this folder. `alignbench config show` tells what counts.",
        "",
    ]
    for setting in SETTINGS:
        lines += [f"# {setting.about}", f"# {setting.name} = {setting.example}", ""]
    return "\n".join(
        [
            *lines,
            "# Keys of the app, by the ids that `alignbench config keys` lists.",
            "[keys]",
            '# "bench.sample" = "f5,ctrl+r"',
            "",
        ]
    )


@functools.cache
def config_of(path: Path) -> Config:
    """What a file says, read once in a process; nothing where there is none. InputError as of `read_config`."""
    try:
        return read_config(path)
    except MissingFile:
        return Config()


def read_config(path: Path) -> Config:
    """What a file says. InputError names file, line and field, and says what was expected."""
    text = read_utf8(path)
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise InputError(f"{path}: not TOML: {error}.") from None
    known = [*(field.name for field in fields(Config))]
    said: dict[str, Any] = {}
    for name, value in values.items():
        table = TomlTable({name: value}, _where(path, text, name))
        if name not in known:
            raise InputError(f"{table.where}, field {name}: unknown. {did_you_mean(name, known)}".rstrip())
        if name == KEYS:
            said[name] = tuple(_keys(table, path, text))
        elif name == "models":
            said[name] = table.texts(name)
        else:
            said[name] = _placed(table, name, path.parent)
    return Config(**said)


def key_line(path: Path, id: str) -> str:
    """File and line of a key in the table `keys`, for messages."""
    text = read_utf8(path)
    return _where(path, text, KEYS, *(_written(parse_toml(text).get(KEYS, {}), id) or (id,)))


def _keys(top: TomlTable, path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Ids have a dot, so that TOML may have read a table of tables."""
    table = top.raw(KEYS)
    if not isinstance(table, dict):
        raise top.error(KEYS, table, 'a table, such as "bench.sample" = "f5"')
    seen = set[str]()
    for names, value in _leaves(table):
        id = ".".join(names)
        if id in seen:
            where = _where(path, text, KEYS, *names)
            raise InputError(f"{where}, field {KEYS}.{id}: it is there twice; expected it once.")
        seen.add(id)
        if not isinstance(value, str) or not value.strip():
            where = _where(path, text, KEYS, *names)
            raise InputError(f'{where}, field {KEYS}.{id}: {value!r}; expected a key as a text, such as "ctrl+r".')
        yield id, value.strip()


def _leaves(table: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, *above, name)
        else:
            yield (*above, name), value


def _written(table: Mapping[str, Any], id: str) -> tuple[str, ...] | None:
    return next((names for names, _ in _leaves(table) if ".".join(names) == id), None)


def _placed(table: TomlTable, name: str, folder: Path) -> str | Path:
    """A value, with a path that starts at the folder of the file."""
    value = table.required(name).strip()
    if not value.isprintable():
        raise table.error(name, value, "a text without control characters")
    try:
        path = folder / home_expanded(value)
    except InputError:  # ~somebody
        raise table.error(name, value, "a path in a folder that there is") from None
    if name == "database":
        return path
    if name == "prompts" and path.suffix and not value.startswith("dataset:"):
        return str(path)
    if name == "embedder" and value not in (NO_EMBEDDER, DEFAULT_EMBEDDER):
        return str(path)
    return value


def _where(path: Path, text: str, *names: str) -> str:
    line = toml_line(text, *names)
    return str(path) if line is None else f"{path}, line {line}"
