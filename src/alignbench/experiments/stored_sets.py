"""The example sets of a database, for contexts that name one; see `contexts.files.Sets`."""

from __future__ import annotations

from pathlib import Path

from alignbench.errors import InputError
from alignbench.spec import ExampleSet
from alignbench.store import Store


class StoredSets:
    """Opens the database only when something in it is asked for, and never makes one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def named(self, name: str) -> ExampleSet | None:
        if not self._path.exists():
            return None
        with Store.read(self._path) as store:
            known = any(
                name == info.name or (len(name) >= 8 and info.hash.startswith(name)) for info in store.example_sets()
            )
            return store.example_set(name) if known else None

    def of_session(self, session: str | int, condition: str, sample: int) -> ExampleSet:
        if not self._path.exists():
            raise InputError(f"There is no session {session!r}: there is no database at {self._path}.")
        with Store.read(self._path) as store:
            return store.condition_examples(session_id(store, session), condition, sample)


def session_id(store: Store, session: str | int) -> int:
    """The session of an id, or of a name that only one has. InputError where there is none or more than one."""
    if isinstance(session, int) or session.isdecimal():
        return store.session(int(session)).id
    ids = [info.id for info in store.sessions() if info.name == session]
    if not ids:
        raise InputError(f"There is no session named {session!r} in {store.path}.")
    if len(ids) > 1:
        numbers = ", ".join(map(str, ids))
        raise InputError(f"{len(ids)} sessions are named {session!r}; expected the number of one: {numbers}.")
    return ids[0]
