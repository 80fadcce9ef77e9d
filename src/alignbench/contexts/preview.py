"""What a model is going to get: the exact text, its tokens part by part, and how much of the window they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.contexts.rendering import Part, PartKind, Rendered
from alignbench.engines.protocol import Capabilities


@dataclass(frozen=True, slots=True)
class PartTokens:
    """A part of the text and how many of its tokens begin in it."""

    kind: PartKind | str
    number: int  # of an example, from 1
    text: str
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt as the model gets it, in tokens."""

    text: str  # what the model gets, special tokens that the tokenizer adds written out
    ids: tuple[int, ...]  # its tokens
    parts: tuple[PartTokens, ...]  # in the order of the text, beginning with those tokens (kind `special`)
    window: int  # the model's context length in tokens, 0 where it is not known
    max_tokens: int  # most tokens of a response

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def share(self) -> float | None:
        """Share of the window that prompt and longest response take; over 1 is an overflow."""
        return (self.n_tokens + self.max_tokens) / self.window if self.window else None

    @property
    def overflow(self) -> int:
        """Tokens by which prompt and longest response are too many; 0 where they fit."""
        return max(0, self.n_tokens + self.max_tokens - self.window) if self.window else 0


def preview(
    rendered: Rendered, ids: Sequence[int], pieces: Sequence[bytes], model: Capabilities, max_tokens: int
) -> Preview:
    """Put a rendered prompt and its tokens together.

    Args:
        rendered: the prompt
        ids: its tokens
        pieces: the bytes of each token, special ones by name
        model: knows its window
        max_tokens: most tokens of a response
    """
    added = sum(map(len, pieces)) - len(rendered.text.encode("utf-8", "replace"))
    special = b""
    n_special = 0
    # What the tokenizer puts before the text is all that the text itself does not hold.
    while n_special < len(pieces) and len(special) + len(pieces[n_special]) <= added:
        special += pieces[n_special]
        n_special += 1
    parts = [PartTokens("special", 0, special.decode(errors="replace"), n_special)] if n_special else []
    parts += _counted(_whole(rendered), pieces[n_special:])
    return Preview(
        special.decode(errors="replace") + rendered.text, tuple(ids), tuple(parts), model.n_ctx_train, max_tokens
    )


def _whole(rendered: Rendered) -> tuple[Part, ...]:
    return rendered.parts or (Part("template", rendered.text),)


def _counted(parts: Sequence[Part], pieces: Sequence[bytes]) -> list[PartTokens]:
    """A token counts for the part in which its first byte stands."""
    counted = []
    token = at = end = 0
    for part in parts:
        end += len(part.text.encode("utf-8", "replace"))
        first = token
        while token < len(pieces) and (at < end or part is parts[-1]):
            at += len(pieces[token])
            token += 1
        counted.append(PartTokens(part.kind, part.number, part.text, token - first))
    return counted
