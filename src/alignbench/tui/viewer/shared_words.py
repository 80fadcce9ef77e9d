"""The words that a sample shares with the reference's, as the sample viewer shows them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from alignbench.metrics.shared_words import marked, shared_words
from alignbench.tui.text import number
from alignbench.tui.widgets.marked_pane import StyledRun


@dataclass(frozen=True, slots=True)
class SharedRuns:
    """A text with the words that others use too.

    Attributes:
        runs: The text, its shared words marked.
        said: How many there are, in words.
    """

    runs: tuple[StyledRun, ...]
    said: str


def shared_runs(text: str, reference: Collection[str], who: str) -> SharedRuns:
    """Mark content words that a response of the reference has too, and those that half of them or more have.

    who: what the reference is called.
    """
    shared = shared_words(text, reference)
    mean = f", mean Jaccard {number(shared.similarity)}" if shared.similarity is not None else ""
    said = (
        f"{shared.n_shared} of {shared.n_words} content words are in {who} too{mean}.  "
        "Underlined: in one of its samples; reversed: in half or more."
    )
    return SharedRuns(tuple(StyledRun(piece, mark) for piece, mark in marked(text, shared)), said)
