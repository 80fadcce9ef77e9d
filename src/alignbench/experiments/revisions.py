"""Stages of one model: its revisions on a hub."""

from __future__ import annotations

from dataclasses import replace

from alignbench.errors import InputError
from alignbench.models.hf_source import parse_source
from alignbench.models.reference import own_name, parse_reference
from alignbench.spec import Model


def at_revision(model: Model, revision: str, *, kind_is_said: bool) -> Model:
    """A hub model at a revision, called NAME@REVISION; where it has an adapter, that at a revision.

    kind_is_said: by the user, so that it holds for all revisions.

    Raises InputError for a model that is not of a hub, or that names a revision already.
    """
    reference = parse_reference(model.reference)
    adapter = reference.adapter
    place = reference.target if adapter is None else adapter.target
    source = parse_source(place) if reference.scheme in ("hf", "vllm") else None
    if source is None or source.is_local or source.revision:
        raise InputError(f"{model.reference} has no revisions to go through; expected hf:org/name without @revision.")
    source = replace(source, revision=revision)
    name = f"{model.name}@{revision}"
    if adapter is not None:
        reference = replace(reference, adapter=replace(adapter, target=str(source)))
        return replace(model, name=name, reference=str(reference))
    kind = model.kind if kind_is_said else source.kind()
    return replace(model, name=name, reference=f"{reference.scheme}:{source}", kind=kind)


def with_revision_in_name(model: Model) -> Model:
    """A hub model that nobody gave a name is called after its revision too, since a ladder may have several."""
    reference = parse_reference(model.reference)
    if (
        reference.scheme in ("hf", "vllm")
        and model.name == own_name(reference)
        and (revision := parse_source(reference.target).revision)
    ):
        return replace(model, name=f"{model.name}@{revision}")
    return model
