"""The words that a sample shares with the reference's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from alignbench.scores.words import STOP_WORDS, word_spans, words
from alignbench.tui.text import number
from alignbench.tui.widgets.marked_pane import Run

OFTEN = 0.5  # share of the reference's responses from which a word is marked as common to them


@dataclass(frozen=True, slots=True)
class SharedWords:
    """runs: the text, its shared words marked. said: how many there are, in words."""

    runs: tuple[Run, ...]
    said: str


def shared_words(text: str, reference: Collection[str], who: str) -> SharedWords:
    """Mark content words that a response of the reference has too, and those that half of them or more have.

    who: what the reference is called.
    """
    theirs = [frozenset(words(other)) - STOP_WORDS for other in reference]
    runs, at = [], 0
    own: set[str] = set()
    shared: set[str] = set()
    for start, end, word in word_spans(text):
        if word in STOP_WORDS:
            continue
        own.add(word)
        n = sum(word in other for other in theirs)
        if n:
            shared.add(word)
            style = "strong" if n >= OFTEN * len(theirs) else "shared"
            runs += [Run(text[at:start]), Run(text[start:end], style)]
            at = end
    runs.append(Run(text[at:]))
    similar = [len(own & other) / len(own | other) for other in theirs if own | other]
    mean = f", mean Jaccard {number(sum(similar) / len(similar))}" if similar else ""
    said = (
        f"{len(shared)} of {len(own)} content words are in {who} too{mean}.  "
        "Underlined: in one of its samples; reversed: in half or more."
    )
    return SharedWords(tuple(run for run in runs if run.text), said)
