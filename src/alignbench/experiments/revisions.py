"""Stages of one model: its revisions on a hub."""

from __future__ import annotations

from dataclasses import replace

from alignbench.errors import InputError
from alignbench.models.catalog import own_name, parse_reference
from alignbench.models.hf_source import parse_source
from alignbench.spec import Model


def at_revision(model: Model, revision: str, *, kind_is_said: bool) -> Model:
    """A hub model at a revision, called NAME@REVISION. kind_is_said: by the user, so that it holds for all revisions.

    Raises InputError for a model that is not of a hub, or that names a revision already.
    """
    reference = parse_reference(model.reference)
    source = parse_source(reference.target) if reference.scheme == "hf" else None
    if source is None or source.is_local or source.revision:
        raise InputError(f"{model.reference} has no revisions to go through; expected hf:org/name without @revision.")
    source = replace(source, revision=revision)
    kind = model.kind if kind_is_said else source.kind()
    return replace(model, name=f"{model.name}@{revision}", reference=f"hf:{source}", kind=kind)


def with_revision_in_name(model: Model) -> Model:
    """A hub model that nobody gave a name is called after its revision too, since a ladder may have several."""
    reference = parse_reference(model.reference)
    if (
        reference.scheme == "hf"
        and model.name == own_name(reference)
        and (revision := parse_source(reference.target).revision)
    ):
        return replace(model, name=f"{model.name}@{revision}")
    return model
