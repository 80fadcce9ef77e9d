"""Which words of a response the reference's responses have too, and where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from alignbench.metrics.words import STOP_WORDS, content_words, word_spans, words

OFTEN = 0.5  # share of the reference's responses from which a word is common to them

Mark = Literal["plain", "shared", "strong"]


@dataclass(frozen=True, slots=True)
class SharedWords:
    """The content words that a text has in common with responses."""

    spans: tuple[tuple[int, int, bool], ...]  # start, end, and whether half of the responses or more have the word
    n_words: int  # different content words of the text
    n_shared: int  # how many of these are shared
    similarity: float | None  # mean Jaccard similarity to the responses, None where there is nothing to compare


def shared_words(text: str, responses: Collection[str]) -> SharedWords:
    """The content words of a text that one of the responses or more have too."""
    theirs = [content_words(words(response)) for response in responses]
    spans = []
    own: set[str] = set()
    shared: set[str] = set()
    for start, end, word in word_spans(text):
        if word in STOP_WORDS:
            continue
        own.add(word)
        n = sum(word in other for other in theirs)
        if n:
            shared.add(word)
            spans.append((start, end, n >= OFTEN * len(theirs)))
    similar = [len(own & other) / len(own | other) for other in theirs if own | other]
    mean = sum(similar) / len(similar) if similar else None
    return SharedWords(tuple(spans), len(own), len(shared), mean)


def marked(text: str, shared: SharedWords) -> Iterator[tuple[str, Mark]]:
    """The text in pieces, each with its mark; together they are the text."""
    at = 0
    for start, end, often in shared.spans:
        if start > at:
            yield text[at:start], "plain"
        yield text[start:end], "strong" if often else "shared"
        at = end
    if at < len(text):
        yield text[at:], "plain"
