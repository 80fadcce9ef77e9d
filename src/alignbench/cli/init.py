"""`alignbench init`: an experiment file to begin with."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from alignbench import paths
from alignbench.cli import printing
from alignbench.errors import InputError


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file that is not there yet.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model: a name or a reference. Repeat for more.",
            show_default="those of config.toml, or demo-aligned and demo-base",
        ),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            help="A prompt set: a name that ships, or a file.", show_default="that of config.toml, or open-ended"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write an experiment file to begin with.

    For some models, with a word about each line; `alignbench run` takes it as it is.
    """
    from alignbench.experiments.new_experiment import experiment_text
    from alignbench.models.stages import ALIGNED, BASE
    from alignbench.output_files import check_output, write_text

    config = paths.user_config()
    if file.suffix != ".toml":
        raise InputError(f"{file}: expected a name that ends in .toml.")
    if os.path.lexists(file) and not force:
        raise InputError(f"{file} is there already; --force writes over it.")
    check_output(file)
    models = model or config.models or (ALIGNED, BASE)
    write_text(file, experiment_text(file, models, prompts if prompts is not None else config.prompts or "open-ended"))
    printing.wrote(file)
    printing.say(f"next: alignbench run {shlex.quote(str(file))} --dry-run")
