"""What the app opens on: columns and prompts that a command line or config.toml names, and the user's own keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alignbench import paths
from alignbench.errors import InputError, did_you_mean
from alignbench.models.stages import ALIGNED, BASE, stage_of
from alignbench.spec import Condition, Model, Prompt, Sampling

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = Sampling(temperature=1.0)
"""The whole distribution, which the embedded pair is drawn from: only of such responses are bits a KL divergence."""


@dataclass(frozen=True, slots=True)
class AppStart:
    """What the app opens on; where something is empty, it is as it always is.

    Attributes:
        conditions: A column for each; else the embedded pair.
        prompts: The first of them is put on the Bench.
        prompt_set: Their name or path.
        theme: That config.toml names.
        keys: The user's own, by id of a binding: Textual's names with commas between.
    """

    conditions: Sequence[Condition] = ()
    prompts: Sequence[Prompt] = ()
    prompt_set: str = ""
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


def first_models() -> tuple[Model, Model]:
    """The embedded pair: the last aligned stage, and the base model that it is a stage of."""
    return Model(ALIGNED, f"{BASE}+{stage_of(ALIGNED)}", "aligned"), Model(BASE, BASE, "base")


def app_start(
    db: Path, models: Sequence[str] = (), prompts: str | None = None, contexts: Sequence[str] = ()
) -> AppStart:
    """What the app opens on. InputError for a name that means nothing, and for what config.toml says wrong.

    Args:
        db: The session database, where contexts find example sets.
        models: Names or references, a column each; those of config.toml by default, else the embedded pair.
        prompts: A set that ships or a file; that of config.toml by default.
        contexts: Names or TOML files: each base model has a column in each of them, as in `alignbench sample`.
    """
    from alignbench.prompts import load_prompts

    theme, keys = checked_config()
    config = paths.user_config()
    named, loaded = "", list[Prompt]()
    if prompts is not None:
        named, loaded = prompts, load_prompts(prompts)
    elif config.prompts:
        with paths.said_in_config("prompts"):
            named, loaded = config.prompts, load_prompts(config.prompts)
    if models or not config.models:
        conditions = _conditions(db, models, contexts)
    else:
        with paths.said_in_config("models"):
            conditions = _conditions(db, config.models, contexts)
    return AppStart(conditions, loaded, named, theme, keys)


def checked_config() -> tuple[str, dict[str, str]]:
    """Theme and keys of config.toml, empty where it has none. InputError names what is wrong in it."""
    config, path = paths.user_config(), paths.config_file()
    if config.embedder:
        from alignbench.engines.embedder import default_embedder

        default_embedder()
    if config.theme and config.theme not in (known := _themes()):
        near = did_you_mean(config.theme, known)
        raise InputError(f"{path}, field theme: there is no theme {config.theme!r}. {near}".rstrip())
    if not config.keys:
        return config.theme, {}
    from alignbench.tui.keymap import checked_keys

    return config.theme, checked_keys(path, config.keys)


def _themes() -> list[str]:
    from textual.theme import BUILTIN_THEMES

    from alignbench.tui.themes import HOUSE

    return [*(theme.name for theme in HOUSE), *BUILTIN_THEMES]


def _conditions(db: Path, names: Sequence[str], contexts: Sequence[str]) -> list[Condition]:
    if not names and not contexts:
        return []
    from alignbench.api.sampling import in_contexts
    from alignbench.contexts.files import load_context
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.models.catalog import resolve

    models: Sequence[Model] = [resolve(name) for name in names] if names else first_models()
    sampling = Sampling() if names else WHOLE
    around = [load_context(name, StoredSets(db)) for name in contexts]
    if around and not any(model.kind == "base" for model in models):
        raise InputError("--context is for base models, and no column is one; name one with --model.")
    conditions = [Condition(name, model, context, sampling) for name, model, context in in_contexts(models, around)]
    for i, one in enumerate(conditions):
        for other in conditions[:i]:
            if one.name == other.name:
                raise InputError(f"Two columns would be called {one.name!r}; expected each once.")
            if one.hash == other.hash:
                raise InputError(f"{other.name!r} and {one.name!r} are the same model; expected it once.")
    return conditions
