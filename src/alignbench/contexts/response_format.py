"""The form of a response: lists, headings, paragraphs, code and length, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.lists import list_items
from alignbench.metrics.words import words

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+\S|^\s*\*\*[^*\n]+\*\*:?\s*$", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*")
_FENCE = re.compile(r"^\s*```", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n\s*\n")
_WORDS = 50  # that weigh as much as one item of a list


def format_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """(len(texts), 7), rows of length 1, or 0 for a blank text: two texts of the same form have a cosine of 1.

    The logarithm of one plus the number of numbered items, bulleted items, headings, bold words, fences of code,
    paragraphs, and words in fifties.
    """
    counts = np.array([_counts(text) for text in texts], np.float64).reshape(len(texts), 7)
    logs = np.log1p(counts)
    lengths = np.linalg.norm(logs, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (logs / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return unit


def _counts(text: str) -> tuple[float, ...]:
    numbered, bulleted = list_items(text)
    paragraphs = len(_PARAGRAPH.split(text.strip())) if text.strip() else 0
    found = (len(pattern.findall(text)) for pattern in (_HEADING, _BOLD, _FENCE))
    return (numbered, bulleted, *found, paragraphs, len(words(text)) / _WORDS)
