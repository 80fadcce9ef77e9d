"""The versions of a session's conditions: what each column of the app has been, one after the other.

A change of a column that has samples makes another condition, and the one before stays as a version. Which belong
together, and in which order, is in the layout that the app keeps with a session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from alignbench.errors import InputError, did_you_mean
from alignbench.models.stored_models import as_known, without_orders
from alignbench.spec import Condition, Context

if TYPE_CHECKING:
    from alignbench.store import Store

Kept = tuple[Condition, int, tuple[Condition, ...]]
"""A column as a layout has it: its condition, the samples that are asked for, its versions (none of only one)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a column.

    Attributes:
        column: What the column is called now.
        number: From 1, the oldest.
        condition: What it was.
        current: Whether the column is this one now.
        samples: Finished ones in the session.
    """

    column: str
    number: int
    condition: Condition
    current: bool
    samples: int


def session_versions(store: Store, session: int) -> list[Version]:
    """The versions of all columns, column by column. Without a layout each condition is a column of one version."""
    there = {condition.hash: condition for condition in store.conditions(session)}
    counts = {each.condition: each.samples for each in store.counts(session)}
    columns: list[Kept] = []
    try:
        if layout := store.layout(session):
            columns = list(kept_columns(layout, store, there.values()))
    except UNREADABLE as error:
        store.leave_out(f"how session {session} was left", error)
    if not columns:
        columns = [(condition, 0, ()) for condition in there.values()]
    versions = []
    for now, _, history in columns:
        for number, condition in enumerate(history or (now,), start=1):
            stored = there.get(condition.hash, condition)  # the app may have called it otherwise since
            n = counts.get(stored.name, 0) if stored.hash in there else 0
            versions.append(Version(now.name, number, stored, condition.hash == now.hash, n))
    return versions


def version_named(versions: Iterable[Version], name: str) -> Version:
    """The version that a text means: the name of a condition, or COLUMN:NUMBER. InputError where there is none."""
    versions = list(versions)
    column, _, number = name.rpartition(":")
    for version in versions:
        if version.condition.name == name or (version.column, str(version.number)) == (column, number):
            return version
    near = did_you_mean(name, {version.condition.name for version in versions})
    raise InputError(f"The session has no version {name!r}; expected a condition or COLUMN:NUMBER. {near}".rstrip())


UNREADABLE = (AttributeError, InputError, LookupError, TypeError, ValueError)
"""What reading a layout raises where something else has written it."""


def kept_columns(view: Mapping[str, Any], store: Store, there: Iterable[Condition]) -> Iterator[Kept]:
    """The columns of a layout. Raises one of `UNREADABLE`. there: the conditions of the session."""
    there = list(there)
    for column in view["columns"]:
        versions = tuple(_read(version, store) for version in column.get("versions", ()))
        yield _session_condition(column["condition"], store, there), int(column["n"]), versions


def written_condition(condition: Condition) -> dict[str, object]:
    """A condition as JSON; its context as the database has it."""
    plain = replace(condition, context=Context(condition.context.template))
    return {**asdict(plain), "context": condition.context.to_json(), "unrecorded": sorted(condition.unrecorded)}


def _read(values: Mapping[str, Any], store: Store) -> Condition:
    """The condition that `written_condition` wrote."""
    context = Context.from_json(values["context"], store.example_set_or_gone)
    plain: Condition = rebuilt(Condition, {**values, "context": {"template": context.template}})
    model = as_known(without_orders(plain.model))
    return replace(plain, model=model, context=context, unrecorded=frozenset(plain.unrecorded))


def _session_condition(values: Mapping[str, Any], store: Store, there: Iterable[Condition]) -> Condition:
    """The same; an imported one is what the session has of it: older layouts have settings that nobody recorded."""
    read = _read(values, store)
    same = (each for each in there if each.model == read.model) if read.model.is_imported else iter(())
    return next(same, read)


def rebuilt(kind: Any, values: Any) -> Any:
    """A dataclass from the JSON of `asdict`: dataclasses in it and tuples too. Fields it does not know are left out."""
    kinds = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) in (Union, UnionType) and len(kinds) == 1:
        return None if values is None else rebuilt(kinds[0], values)
    if isinstance(values, list):
        inner = kinds[0] if get_origin(kind) is tuple and kinds[1:] == [Ellipsis] else None
        return tuple(rebuilt(inner, value) for value in values)
    if not is_dataclass(kind):
        return values
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    make: Any = kind
    return make(**{name: rebuilt(hints[name], value) for name, value in values.items() if name in known})
