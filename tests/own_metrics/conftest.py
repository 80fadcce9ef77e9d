from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alignbench.own_metrics.registration import forget


@pytest.fixture(autouse=True)
def _none_is_left() -> Iterator[None]:
    yield
    forget()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of functions."""

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
