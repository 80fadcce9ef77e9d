"""Models that a database names: how they are loaded is what this machine's models.toml says."""

from __future__ import annotations

from dataclasses import replace

from alignbench.errors import InputError
from alignbench.models.catalog import known_models, named_options
from alignbench.models.reference import parse_reference
from alignbench.spec import LoadOptions, Model


def as_known(model: Model) -> Model:
    """A model of a session, which keeps no options: loaded as the entry of models.toml says that has its name and its
    weights. Others, and those that have options, are as they are."""
    if model.options != LoadOptions() or model.is_imported:
        return model
    try:
        named = named_options(model.name) or named_options(model.name.rpartition("*")[0])
    except InputError:  # who loads it will say so
        return model
    if named is None or named[0].base != parse_reference(model.reference).base:
        return model
    return replace(model, options=named[1])


def without_orders(model: Model) -> Model:
    """A model whose options a database has, but for what runs programs of somebody's choice: that database may be a
    stranger's, so that is as the user's models.toml says."""
    options = model.options
    if not (options.command or options.args or options.env or options.trust_remote_code):
        return model
    own = next((known.options for known in known_models() if known.reference == model.reference), LoadOptions())
    own_orders = replace(
        options,
        command=own.command,
        args=own.args,
        env=own.env,
        trust_remote_code=options.trust_remote_code and own.trust_remote_code,
    )
    return replace(model, options=own_orders)
