"""How many blocks of 8 rows strict mode may decode at once on this build and device.

The kernels of a matrix product may depend on the number of rows, and with them the last bits of the logits. Blocks
are decoded together only where a probe finds every row's logits equal, bit for bit, to those of a block by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from alignbench.engines.generation import STRICT_WIDTH, Decoder

CANDIDATES = (4, 2)  # blocks, widest first
STEPS = 3


def widest_blocks(decoder: Decoder, ids: Sequence[int]) -> int:
    """The largest number of blocks whose logits equal those of one block, over a few steps after the prompt `ids`."""
    alone = _digests(decoder, ids, 1)[0]
    for blocks in CANDIDATES:
        if all(digest == alone for digest in _digests(decoder, ids, blocks)):
            return blocks
    return 1


def _digests(decoder: Decoder, ids: Sequence[int], blocks: int) -> list[str]:
    """A digest of the logits of each block; every block decodes the same tokens."""
    width = blocks * STRICT_WIDTH
    slots = range(width)
    decoder.reserve(len(ids) + width * STEPS, width)
    decoder.prompt(ids, 0, True, 0)
    for slot in slots:
        decoder.fork(slot)
    digests = [hashlib.sha256() for _ in range(blocks)]
    for step in range(STEPS):
        tokens = [ids[(7 * step + 3 * (slot % STRICT_WIDTH)) % len(ids)] for slot in slots]
        logits = decoder.on_host(decoder.step(slots, tokens))
        for block, digest in enumerate(digests):
            digest.update(logits[block * STRICT_WIDTH : (block + 1) * STRICT_WIDTH].tobytes())
    for slot in slots:
        decoder.drop(slot)
    return [digest.hexdigest() for digest in digests]
