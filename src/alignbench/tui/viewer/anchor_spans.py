"""The phrases that a sample has in common with other samples of its column, marked and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from textual.content import Content

from alignbench.metrics.anchors import LEAST, SHARE, AnchorSpan, anchor_spans
from alignbench.metrics.words import word_spans, words
from alignbench.tui.styled import DIM
from alignbench.tui.text import count, fitted
from alignbench.tui.widgets.marked_pane import StyledRun


@dataclass(frozen=True, slots=True)
class PlacedAnchor:
    """An anchor of a text. start, end: where it stands first, in characters. holders: places of the samples that have
    it, the text among them at place 0."""

    start: int
    end: int
    words: tuple[str, ...]
    holders: tuple[int, ...]


@lru_cache(maxsize=16)
def placed_anchors(text: str, others: tuple[str, ...]) -> tuple[PlacedAnchor, ...]:
    """The anchors of a text among the other samples of its prompt, in the order in which they stand in it."""
    spans = word_spans(text)
    said = [[word for _, _, word in spans], *(list(words(other)) for other in others)]
    own = [anchor for anchor in anchor_spans(said) if 0 in anchor.holders]
    placed = [_placed(anchor, spans) for anchor in own]
    return tuple(sorted(placed, key=lambda anchor: (anchor.start, -anchor.end)))


def _placed(anchor: AnchorSpan, spans: Sequence[tuple[int, int, str]]) -> PlacedAnchor:
    size = len(anchor.words)
    said = [word for _, _, word in spans]
    at = next(i for i in range(len(said)) if tuple(said[i : i + size]) == anchor.words)
    return PlacedAnchor(spans[at][0], spans[at + size - 1][1], anchor.words, anchor.holders)


def anchor_runs(text: str, anchors: Sequence[PlacedAnchor], n: int, chosen: int) -> tuple[list[StyledRun], int | None]:
    """The text with its anchors marked, those that all n samples have and the chosen one apart; and the run to show."""
    styles = ["plain"] * len(text)
    for anchor in anchors:
        style = "strong" if len(anchor.holders) == n else "shared"
        for at in range(anchor.start, anchor.end):
            styles[at] = "strong" if "strong" in (styles[at], style) else style
    if anchors:
        styles[anchors[chosen].start : anchors[chosen].end] = ["chosen"] * (anchors[chosen].end - anchors[chosen].start)
    runs: list[StyledRun] = []
    at, cursor = 0, None
    for style, group in groupby(styles):
        size = len([*group])
        cursor = len(runs) if style == "chosen" else cursor
        runs.append(StyledRun(text[at : at + size], style))
        at += size
    return runs, cursor


def anchors_said(text: str, anchors: Sequence[PlacedAnchor], n: int) -> str:
    """How much of the text they are, in words."""
    total = len(word_spans(text))
    if not anchors:
        return f"No run of {LEAST} words or more is in {SHARE:.0%} of the {n} samples of this column."
    covered = {at for anchor in anchors for at in range(anchor.start, anchor.end)}
    inside = sum(start in covered for start, _, _ in word_spans(text))
    return (
        f"{inside} of {count(total, 'word')} in {count(len(anchors), 'anchor span')}: runs of {LEAST} words or more in "
        f"at least {SHARE:.0%} of {n} samples.  Reversed: in all of them.  ←→ goes through them."
    )


def anchor_list(
    anchors: Sequence[PlacedAnchor], samples: Sequence[int], chosen: int, rows: int, width: int
) -> list[Content]:
    """A line an anchor, as many as there is room for around the chosen one. samples: numbers by place of a holder."""
    first = max(0, min(chosen - rows // 2, len(anchors) - rows))
    lines = []
    for at in range(first, min(len(anchors), first + rows)):
        anchor = anchors[at]
        who = ",".join(str(samples[place] + 1) for place in anchor.holders)
        of = f"{'▸' if at == chosen else ' '} {len(anchor.holders)} of {len(samples)}  {fitted('#' + who, 14)} "
        text = fitted(f"{count(len(anchor.words), 'word')}: {' '.join(anchor.words)}", max(10, width - len(of) - 1))
        lines.append(Content.assemble((of, DIM), (text, "bold" if at == chosen else "")))
    return lines
