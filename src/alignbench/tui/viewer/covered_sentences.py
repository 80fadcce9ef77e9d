"""The sentences of a sample, each with the sentence of the reference that is most like it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from alignbench.metrics.coverage import COVERAGE_THRESHOLD
from alignbench.scoring.coverage import Match
from alignbench.tui.text import count, fitted, number, printable
from alignbench.tui.widgets.marked_pane import StyledRun
from alignbench.tui.wrap import WrappedText

INDENT = 8  # cells before a sentence


def covered(match: Match) -> bool:
    """Whether a response of the reference says it too."""
    return match.similarity is not None and match.similarity >= COVERAGE_THRESHOLD


def sentence_runs(matches: Sequence[Match], cursor: int, width: int) -> tuple[StyledRun, ...]:
    """Three runs a sentence: ● covered or ○ not with how similar the best match is; its text, wrapped; a line break."""
    runs = []
    for at, match in enumerate(matches):
        style = "covered" if covered(match) else "missing"
        similarity = "  – " if match.similarity is None else f"{number(match.similarity, 2):>4}"
        mark = "▸" if at == cursor else " "
        text = WrappedText(max(20, width - INDENT), printable(match.sentence))
        lines = f"\n{' ' * INDENT}".join(text[i] for i in range(len(text)))
        runs += [
            StyledRun(f"{mark}{'●' if covered(match) else '○'} {similarity}  ", style),
            StyledRun(lines),
            StyledRun("\n"),
        ]
    return tuple(runs)


def sentences_said(matches: Sequence[Match], who: str) -> str:
    """How many are covered, in words."""
    n = sum(map(covered, matches))
    return (
        f"● {n} of {count(len(matches), 'sentence')} covered by {who}, ○ {len(matches) - n} not: "
        f"a sentence counts from a cosine of {number(COVERAGE_THRESHOLD, 2)}."
    )


def best_match(match: Match, who: str, n: int) -> list[Content]:
    """The match of the sentence under the cursor, and in how many of the n responses it has one."""
    if match.similarity is None:
        return [Content(f"No sentence of {who} to compare with.")]
    there = sum(value >= COVERAGE_THRESHOLD for value in (match.similarities or {}).values())
    best = f"Best match {number(match.similarity, 2)}, sample {(match.sample or 0) + 1} of {who}"
    head = f"{best}; covered by {there} of {n}"
    return [Content.styled(fitted(head, 400).rstrip(), "bold"), Content(printable(match.best))]
