"""How many rows strict mode may decode at once on this build and device.

The kernels of a matrix product may depend on the number of rows and on a row's place among them, and with them the last
bits of the logits. Another width than 8 is used only where a probe finds the logits of every row equal, bit for bit, to
those of 8 rows. llama.cpp on a CPU, for one, takes rows by fours where weights are repacked: 12 rows pass there, 10 do
not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from alignbench.engines.local.decoder import Decoder
from alignbench.engines.local.generation import STRICT_WIDTH

WIDEST = 32
STEPS = 3
PROBE_TOKENS = 600  # long enough for attention kernels that split a long cache


class StrictWidths:
    """The widths that are known to be alike; others are tried when they are first of use."""

    def __init__(self, decoder: Decoder, ids: Sequence[int], own: int = STEPS) -> None:
        """ids: a prompt of different tokens to probe with. own: tokens of each row that room is made for."""
        self._decoder = decoder
        self._ids = ids
        self._own = own
        self._alike: dict[int, bool] = {}
        self._expected = ""

    def up_to(self, n: int) -> tuple[int, ...]:
        """Widths for n samples that may sit in any row, ascending: 8, its multiples, and last the narrowest that
        carries all n of them, or the widest there is. Empty where every sample has to keep its own row of 8.
        """
        if not self._passes(STRICT_WIDTH):
            return ()
        multiples = range(2 * STRICT_WIDTH, min(n, WIDEST) + 1, STRICT_WIDTH)
        known = {STRICT_WIDTH, *(width for width in multiples if self._passes(width))}
        for granule in (1, 2, 4, STRICT_WIDTH):
            width = -(-n // granule) * granule
            if STRICT_WIDTH < width <= WIDEST and self._passes(width):
                known.add(width)
                break
        return tuple(sorted(known))

    def _passes(self, width: int) -> bool:
        if not self._alike:
            eight = self._digests(STRICT_WIDTH)
            self._expected = eight[0]
            self._alike[STRICT_WIDTH] = set(eight) == {self._expected}
        if width not in self._alike:
            self._alike[width] = set(self._digests(width)) == {self._expected}
        return self._alike[width]

    def _digests(self, width: int) -> list[str]:
        """A digest of the logits of each row; all rows decode the same tokens, so that equal rows have equal ones."""
        decoder, ids, slots = self._decoder, self._ids, range(width)
        decoder.reserve(len(ids), self._own, WIDEST)
        decoder.prompt(ids, len(ids) - 1, True, 0)
        for slot in slots:
            decoder.fork(slot)
        digests = [hashlib.sha256() for _ in slots]
        for step in range(STEPS):
            logits = decoder.on_host(decoder.step(slots, [ids[(7 * step + 3) % len(ids)]] * width))
            for digest, row in zip(digests, logits, strict=True):
                digest.update(row.tobytes())
        for slot in slots:
            decoder.drop(slot)
        return [digest.hexdigest() for digest in digests]
