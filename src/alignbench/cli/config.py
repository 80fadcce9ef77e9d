"""`alignbench config`: the user's config.toml, what it comes to, and the keys of the app that it may change."""

from __future__ import annotations

import os
from dataclasses import dataclass

import typer

from alignbench import paths
from alignbench.cli import printing
from alignbench.cli.options import Json
from alignbench.errors import InputError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as it counts now.

    Attributes:
        name: As config.toml has it.
        value: A text, or a list of texts.
        source: Where it is from: default, or the file or environment variable that says it.
    """

    name: str
    value: str | tuple[str, ...]
    source: str


@app.command()
def path() -> None:
    """Say where config.toml is, or would be."""
    printing.show(str(paths.config_file()))


@app.command()
def show(as_json: Json = False) -> None:
    """Show what holds, and where it is from.

    What is taken where a command line says nothing.
    """
    from alignbench.cli.tables import print_table
    from alignbench.tui.start import checked_config

    checked_config()
    settings = _settings()
    if as_json:
        for each in settings:
            printing.json_data({"setting": each.name, "value": each.value, "from": each.source})
        return
    print_table(("setting", "value", "from"), [(each.name, _words(each.value), each.source) for each in settings])


@app.command()
def edit() -> None:
    """Open config.toml in your editor.

    The one that VISUAL or EDITOR names. Then what is wrong in it is said, if anything is.
    """
    from alignbench.config import config_of, template
    from alignbench.output_files import new_file
    from alignbench.terminal_programs import editor, run_program
    from alignbench.tui.start import checked_config

    command, file = editor(), paths.config_file()
    if not file.exists():
        with new_file(file) as part:
            part.write_text(template(), encoding="utf-8")
    if failure := run_program([*command, str(file)]):
        raise InputError(f"{failure} The file is {file}.")
    config_of.cache_clear()
    checked_config()


@app.command()
def keys(as_json: Json = False) -> None:
    """List what keys do in the app, with ids for [keys].

    What can be done, by the ids that [keys] of config.toml takes, and the keys that do it.
    """
    from alignbench.cli.tables import print_table
    from alignbench.tui.keymap import bound_actions
    from alignbench.tui.start import checked_config

    try:
        _, own_keys = checked_config()
    except InputError as error:  # which may be that there is no such id
        printing.say(f"{error} These are the keys that are built in.")
        own_keys = {}
    actions = list(bound_actions(own_keys))
    if as_json:
        for each in actions:
            printing.json_data({"id": each.id, "keys": each.keys, "does": each.action.help})
        return
    print_table(("id", "keys", "does"), [(each.id, ", ".join(each.keys), each.action.help) for each in actions])


def _settings() -> list[ShownSetting]:
    from alignbench.config import SETTINGS
    from alignbench.tui.preferences import kept_theme, theme_file

    config, file = paths.user_config(), str(paths.config_file())
    shown = []
    for setting in SETTINGS:
        said = getattr(config, setting.name)
        value, source = (said if isinstance(said, tuple) else str(said), file) if said else (setting.default, "default")
        if setting.variable and (of_variable := os.environ.get(setting.variable)):
            value, source = of_variable, setting.variable
        if setting.name == "theme" and (chosen := kept_theme()):
            value, source = chosen, f"the app ({theme_file()})"
        shown.append(ShownSetting(setting.name, value, source))
    return [*shown, *(ShownSetting(f"keys.{id}", written, file) for id, written in config.keys)]


def _words(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
