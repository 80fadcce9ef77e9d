"""A database of its own for every test of the ledger, and models whose weights need not be there to be hashed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.scoring import likelihood_cache
from alignbench.store import Store


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood_cache, "weights_hash", lambda model: f"hash of {model.name}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.db") as store:
        yield store
