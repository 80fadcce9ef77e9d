"""Which widths strict mode may decode at, found on a decoder whose kernels depend on the width as they do elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from alignbench.engines.local.strict_width import STEPS, WIDEST, StrictWidths


class Kernels:
    """Logits of a row: those of the token, off by what `error(width, row)` says."""

    def __init__(self, error: Callable[[int, int], float]) -> None:
        self._error = error
        self.tried: list[int] = []
        self.slots: set[int] = set()

    def reserve(self, shared: int, own: int, width: int) -> None:
        assert (shared, own, width) == (39, STEPS, WIDEST)

    def prompt(self, *_: object) -> tuple[NDArray[np.float32], int]:
        return np.zeros(4, np.float32), 0

    def fork(self, slot: int) -> None:
        self.slots.add(slot)

    def drop(self, slot: int) -> None:
        self.slots.remove(slot)

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        assert set(slots) == self.slots
        if self.tried[-1:] != [len(slots)]:
            self.tried.append(len(slots))
        rows = [np.full(4, token + self._error(len(slots), row)) for row, token in enumerate(tokens)]
        return np.array(rows, np.float32)

    def on_host(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        return logits


def by_fours(width: int, row: int) -> float:
    """A repacked product: four rows at a time, what is left over by itself."""
    return 0.5 if row >= width // 4 * 4 else 0.0


@pytest.mark.parametrize(
    ("error", "n", "widths"),
    [
        (lambda _width, _row: 0.0, 5, (8,)),
        (lambda _width, _row: 0.0, 9, (8, 9)),
        (lambda _width, _row: 0.0, 19, (8, 16, 19)),
        (lambda _width, _row: 0.0, 100, (8, 16, 24, 32)),
        (by_fours, 10, (8, 12)),
        (by_fours, 16, (8, 16)),
        (lambda width, _row: 1.0 / width, 10, (8,)),  # every width has kernels of its own
        (lambda _width, row: float(row), 10, ()),  # a row's place counts: samples keep theirs
        (lambda width, row: float(width == 16 and row == 15), 20, (8, 20)),
    ],
)
def test_only_widths_that_change_no_logit_are_used(
    error: Callable[[int, int], float], n: int, widths: tuple[int, ...]
) -> None:
    kernels = Kernels(error)
    assert StrictWidths(kernels, range(1, 40)).up_to(n) == widths  # type: ignore[arg-type]
    assert kernels.slots == set()


def test_a_width_is_tried_once() -> None:
    kernels = Kernels(by_fours)
    widths = StrictWidths(kernels, range(1, 40))  # type: ignore[arg-type]
    first = [widths.up_to(n) for n in range(1, 50)]
    tried = list(kernels.tried)
    assert len(set(tried)) == len(tried)
    assert max(tried) == WIDEST
    assert [widths.up_to(n) for n in range(1, 50)] == first
    assert kernels.tried == tried
