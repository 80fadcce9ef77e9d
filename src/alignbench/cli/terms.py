"""What a model's licence asks for, said where it is used for the first time."""

from __future__ import annotations

from collections.abc import Iterable

from alignbench.cli import printing
from alignbench.models.catalog import first_use, terms
from alignbench.spec import Model


def print_terms(models: Iterable[Model]) -> None:
    """The terms of models that were never used here, on stderr."""
    for model in dict.fromkeys(models):
        if first_use(model):
            printing.say(terms(model))
