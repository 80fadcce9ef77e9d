"""`alignbench schema`: JSON Schemas of the files that a person writes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from alignbench.cli import printing


class File(StrEnum):
    """A kind of file."""

    experiment = "experiment"
    context = "context"
    models = "models"
    config = "config"


def schema(
    file: Annotated[
        File, typer.Argument(help="An experiment, a context, models.toml or config.toml.", show_default=False)
    ],
) -> None:
    """Print the JSON Schema of a kind of file.

    By which an editor checks and completes it.
    """
    from alignbench.file_schemas.config import config_schema
    from alignbench.file_schemas.contexts import context_schema
    from alignbench.file_schemas.experiments import experiment_schema
    from alignbench.file_schemas.models import models_schema
    from alignbench.json_text import json_text

    match file:
        case File.experiment:
            made = experiment_schema()
        case File.context:
            made = context_schema()
        case File.models:
            made = models_schema()
        case File.config:
            from alignbench.tui.keymap import bound_actions

            made = config_schema(bound.id for bound in bound_actions())
    printing.data(json_text(made, indent=2))
