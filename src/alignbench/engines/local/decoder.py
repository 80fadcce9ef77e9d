"""What the generation loop needs from a local engine: a decoder, its samplers and its grammars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.local.arrays import Floats32, Ids
from alignbench.engines.local.sampler import DrawnTokens
from alignbench.spec import Sampling

Logits = Any  # float32, (rows, vocab) or a row of it: a numpy array, or a tensor on the device of decoder and sampler


class RowSampler(Protocol):
    """Draws tokens from the logits of a decoder; see sampler.Sampler."""

    def draw(
        self, logits: Sequence[Logits], uniforms: Sequence[float], seen: Sequence[Ids] | None = None
    ) -> DrawnTokens:
        """Draw a token for each row of logits."""

    def close(self) -> None:
        """Free what it holds."""


class Grammar(Protocol):
    """What a response may still say, token by token."""

    def allows(self, token: int) -> bool:
        """Whether the token may come next; an end token where the response may end here."""

    def allowed(self) -> NDArray[np.bool_]:
        """The same for every token, (vocab,). Costly: each token's text is checked."""

    def accept(self, token: int) -> None:
        """Go on behind a token that is allowed and does not end the response."""


class Decoder(Protocol):
    """What the loop needs of a local engine. A slot is a sequence of its own that continues the prompt."""

    fast_width: int  # rows that pay in fast mode

    def strict_widths(self, n: int, shared: int, own: int) -> tuple[int, ...]:
        """Widths of a decode at which n samples may sit in any row in strict mode, see StrictWidths.up_to.

        shared, own: what will be reserved for them.
        """

    def reserve(self, shared: int, own: int, width: int) -> None:
        """Make room for `width` slots. Raises EngineError when that cannot be had.

        shared: tokens that all slots begin with. own: most tokens of one slot beside them, and of the prompt.
        """

    def sampler(self, params: Sampling, threads: int) -> RowSampler:
        """A sampler for logits of this decoder, with so many threads."""

    def on_host(self, logits: Logits) -> Floats32:
        """Logits of this decoder as a numpy array."""

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Logits, int]:
        """Bring a prompt into the cache, reusing what is there; slots forked from now on continue it.

        Returns the logits after the last token, shape (vocab,), the caller's to keep, and how many tokens were cached
        already. Raises Aborted when the request is cancelled as a whole meanwhile and no slot is in use.

        Args:
            ids: of the prompt
            cut: length of the context part in tokens
            strict: reuse only what leaves every logit the same to the last bit
            key: of the request
        """

    def fork(self, slot: int) -> None:
        """Let a slot continue the prompt."""

    def rest(self, slot: int) -> None:
        """A slot takes no further step, but what it holds may stay where it is until it is dropped."""

    def drop(self, slot: int) -> None:
        """Forget what a slot generated."""

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Logits:
        """Append a token to each slot that neither rests nor was dropped; logits (len(slots), vocab), valid until the
        next call."""

    def grammar(self, schema: str) -> Grammar | None:
        """A grammar of the JSON that a schema describes; None where the engine has none. Raises EngineError."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends a response (EOS, end of turn)."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token; special tokens have none."""
