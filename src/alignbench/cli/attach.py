"""`alignbench attach`: watch a run that goes on in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from alignbench.cli import printing
from alignbench.cli.options import Db, session_number

if TYPE_CHECKING:
    from alignbench.experiments.background import Background
    from alignbench.store import Store

SECONDS = 0.5  # between two looks
LINES = 5  # of what was said before


def attach(
    session: Annotated[int | None, session_number(help="A session's number; left out: the run begun last.")] = None,
    db: Db = None,
) -> None:
    """Watch a run that goes on in the background.

    It was begun with `alignbench run --detach`, and is shown until it ends. Ctrl-C leaves it alone.
    """
    from alignbench.experiments.background import commands, find, find_all
    from alignbench.paths import existing_database
    from alignbench.store import Store

    path = existing_database(db)
    with Store.read(path) as store:
        if session is not None:
            store.session(session)
        runs = find_all(path) if session is None else [run for run in [find(path, session)] if run]
        going = next((run for run in runs if run.pid is not None), None)
        if going is None:
            what = f"session {session}" if session is not None else f"any session of {path}"
            printing.say(f"Nothing runs in the background for {what}.")
            for run in runs[:1]:
                printing.say(f"The last run was of session {run.session}: {run.log}")
            return
        try:
            _watch(store, path, going)
        except KeyboardInterrupt:
            again = commands(path, going.session, going.pid or 0)
            printing.say(f"the run of session {going.session} goes on; {again}")


def _watch(store: Store, path: Path, run: Background) -> None:
    """What the run says, and above all how far it is, until its process ends."""
    from alignbench.cli.progress import ProgressBar
    from alignbench.experiments.background import find

    printing.say(f"session {run.session} in {path}, process {run.pid}; Ctrl-C leaves it alone")
    with run.log.open(encoding="utf-8", errors="replace") as log, ProgressBar() as bar:
        samples = bar.add("", store.n_asked(run.session))
        lines = log.readlines()[-LINES:]
        while True:
            for line in lines:
                bar.say(line.rstrip("\n"))
            info = store.session(run.session)
            samples.describe(info.name)
            samples.reach(info.n_samples, failed=info.n_errors)
            there = find(path, run.session)
            if there is None or there.pid is None:
                break
            time.sleep(SECONDS)
            lines = log.readlines()
        for line in log.readlines():
            bar.say(line.rstrip("\n"))
