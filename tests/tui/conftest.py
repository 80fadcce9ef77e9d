"""The pilot looks for an idle app more often than Textual lets it: a test presses hundreds of keys."""

from __future__ import annotations

import pytest
from textual import _wait


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every 10 ms whether the process works; idle is under a tenth of that."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.01)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.001)
