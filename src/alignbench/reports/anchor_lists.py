"""The anchor spans of each condition: the phrases themselves, over the prompts of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.metrics.anchors import anchor_spans
from alignbench.metrics.values import Response, WordMode
from alignbench.reports.section import Section
from alignbench.scoring.responses import Responses

LISTED = 5  # spans of a condition in a table


@dataclass(frozen=True, slots=True)
class ListedAnchor:
    """A span in responses to one prompt.

    Attributes:
        prompt: Its id.
        words: In order, as they are counted.
        responses: How many of `n` have it.
        n: Responses to the prompt that are not empty.
    """

    prompt: str
    words: tuple[str, ...]
    responses: int
    n: int


def listed_anchors(responses: Responses, mode: WordMode) -> dict[str, tuple[ListedAnchor, ...]]:
    """By condition: those that the largest share of responses has first, of them the longest."""
    spans: dict[str, list[ListedAnchor]] = {name: [] for name in responses.conditions}
    for prompt in responses.prompts:
        for name, texts in responses.cells(prompt).items():
            there = [
                response.words for sample, text in texts.items() if not (response := Response(sample, text, mode)).empty
            ]
            spans[name] += [
                ListedAnchor(prompt, span.words, len(span.holders), len(there)) for span in anchor_spans(there)
            ]
    return {
        name: tuple(sorted(of, key=lambda span: (-span.responses / span.n, -len(span.words))))
        for name, of in spans.items()
    }


def anchor_section(anchors: Mapping[str, tuple[ListedAnchor, ...]]) -> Section:
    """The first of each condition; empty where there is none."""
    rows = tuple(
        (name if at == 0 else "", span.prompt, f"{span.responses} of {span.n}", " ".join(span.words))
        for name, of in anchors.items()
        for at, span in enumerate(of[:LISTED])
    )
    if not rows:
        return Section("Anchor spans")
    most = max(map(len, anchors.values()))
    notes: tuple[str, ...] = (
        "Runs of words that at least half of a prompt's responses have; the words as they are counted.",
    )
    if most > LISTED:
        notes += (f"The first {LISTED} of each condition, of {most} at most.",)
    return Section("Anchor spans", ("condition", "prompt", "responses", "words"), rows, notes)
