"""Trying a context out: what it holds for one prompt, without a run and without a trace in the database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alignbench.contexts.source_samples import needed_conditions
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.spec import Context
from alignbench.store import Store


@contextmanager
def trial_preparer(pool: WorkerPool, database: Path | None, session: int | None) -> Iterator[Preparer]:
    """A Preparer in a session of a database, whose samples contexts may be made of; without one, in an empty place.

    Raises InputError where there is no such session.
    """
    if session is not None:
        if database is None or not database.exists():
            raise InputError(f"There is no session {session}: there is no database at {database}.")
        with Store.open(database) as store:
            preparer = Preparer(store, pool, store.session(session).id, pool)
            try:
                yield preparer
            finally:
                preparer.close()
        return
    with tempfile.TemporaryDirectory(prefix="alignbench-") as folder, Store.open(Path(folder) / "trial.db") as store:
        preparer = Preparer(store, pool, store.create_session("trial"), pool)
        try:
            yield preparer
        finally:
            preparer.close()


def check_session(context: Context, session: int | None) -> None:
    """Refuse a context that is made of samples where no session is named to take them from."""
    if session is None and (needed := needed_conditions(context, None)):
        raise InputError(
            f"{context.name or 'The context'} is made of samples of {', '.join(sorted(needed))}; "
            "name the session that has them."
        )
