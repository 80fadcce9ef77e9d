"""A session to report on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.support.reported import HOSTILE
from tests.support.samples import ALIGNED, BASE, result


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Session 1: three prompts, the last a contested one; a base, an aligned condition, and one with a hostile name."""
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("of [bold", reference="chat", manifest={"n": 2})
        chat = Condition.zero_shot(ALIGNED, name="chat")
        hostile = Condition.zero_shot(Model("own", "demo-base", "base"), name=HOSTILE, seed=9)
        for p, kind in enumerate(("open-ended", "open-ended", "contested")):
            for condition in (Condition.zero_shot(BASE, name="raw"), chat, hostile):
                cell = store.add_cell(session, Prompt(f"q{p}", f"Why {p}?", kind), condition, 2)
                for i in range(2):
                    finish = "length" if i else "stop"
                    store.add_sample(cell, result(i, f"{condition.name[:3]} sun{i}. Moon {p}.", finish))
        store.add_error(store.cells(session)[0].id, 2, "overflow")
        yield store
