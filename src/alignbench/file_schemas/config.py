"""The JSON Schema of config.toml: what `config` reads."""

from __future__ import annotations

from collections.abc import Iterable

from alignbench.config import KEYS, SETTINGS
from alignbench.file_schemas.parts import Schema, table, text, texts, whole


def config_schema(ids: Iterable[str]) -> Schema:
    """The schema of config.toml. ids: that its table `keys` may have; with dots between or as tables."""
    keys: dict[str, Schema] = {}
    scopes: dict[str, dict[str, Schema]] = {}
    for id in ids:
        scope, _, name = id.partition(".")
        keys[id] = text(blank=False)
        scopes.setdefault(scope, {})[name] = text(blank=False)
    nested = {scope: table(names) for scope, names in scopes.items()}
    settings = {each.name: texts(each.about) if each.is_list else text(each.about, blank=False) for each in SETTINGS}
    return whole(
        "alignbench: config.toml",
        table({**settings, KEYS: table({**keys, **nested}, about="Keys of the app, by the ids of its actions.")}),
    )
