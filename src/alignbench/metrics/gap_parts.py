"""Where the bits of a response are: in its opening, in its format, or in the rest of its text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.lists import item_markers

OPENING_TOKENS = 5

# Beside the markers of list items: white space, the marks of headings, and what makes words bold.
_MARKS = re.compile(r"\s+|^#{1,6}(?=[ \t]+\S)|\*{2,}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextParts:
    """Bits of the tokens of a response, each token in the first part that it belongs to.

    opening: of the first `OPENING_TOKENS`. format: of those that are white space and markers alone (see
    `format_tokens`). rest: of all others.
    """

    opening: float
    format: float
    rest: float


def text_parts(bits: ArrayLike, text: str, token_ends: ArrayLike) -> TextParts:
    """The parts of a response from the bits of its tokens (T,) and where these end in it (T,), in characters."""
    values = np.asarray(bits, np.float64)
    opening = np.arange(values.size) < OPENING_TOKENS
    form = format_tokens(text, token_ends) & ~opening
    return TextParts(*(math.fsum(values[part]) for part in (opening, form, ~opening & ~form)))


def format_tokens(text: str, token_ends: ArrayLike) -> NDArray[np.bool_]:
    """Which of a response's T tokens are nothing but white space and markers, (T,), from where they end, (T,).

    Markers are the numbers and bullets that list items begin with, with their own `.` or `)`, the `#` that headings
    begin with, and `**` anywhere. A token of a marker and a word is none. Tokens that share a character are judged
    together.
    """
    content = np.ones(len(text), np.int64)
    for start, end in (*item_markers(text), *(match.span() for match in _MARKS.finditer(text))):
        content[start:end] = 0
    before = np.concatenate([[0], np.cumsum(content)])  # characters of content before each place
    ends, place = np.unique(np.asarray(token_ends, np.int64), return_inverse=True)
    is_format: NDArray[np.bool_] = np.diff(before[ends], prepend=0) == 0
    return is_format[place]
