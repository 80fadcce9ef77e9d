"""A store on a real file, and samples to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.samples import BASE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "alignbench.db") as store:
        yield store


@pytest.fixture
def session(store: Store) -> int:
    return store.create_session("first", reference="demo-smollm2")


@pytest.fixture
def cell(store: Store, session: int) -> int:
    return store.add_cell(session, Prompt("q1", "Why diaries?", "house"), Condition.zero_shot(BASE), 5)
