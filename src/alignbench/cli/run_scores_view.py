"""Scores on stdout, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alignbench.cli.tables import print_table

Scores = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]

_WITHIN = {
    "words": "words",
    "jaccard": "lexical similarity",
    "distinct_2": "distinct-2",
    "embedding_diversity": "embedding diversity",
}
_CROSS = {"jaccard": "lexical similarity", "embedding_similarity": "cosine"}


def print_scores(scores: Scores, reference: str | None) -> None:
    """Metrics as rows, conditions as columns; the ceiling stands under the reference's own name."""
    conditions = list(scores["within"])
    print()
    print_table(
        ["within a condition", *conditions],
        [[title, *(_number(scores["within"][c][metric]) for c in conditions)] for metric, title in _WITHIN.items()],
    )
    if reference is not None:
        print()
        print_table(
            [f"similarity to {reference}", *(f"{c} (ceiling)" if c == reference else c for c in conditions)],
            [
                *(
                    [title, *(_number(scores["cross"][c][metric]) for c in conditions)]
                    for metric, title in _CROSS.items()
                ),
                *_held_out(scores, conditions),
            ],
        )


def _held_out(scores: Scores, conditions: Sequence[str]) -> Iterator[list[str]]:
    """Where a context tells of samples of the reference: the similarity to its other samples, and to those."""
    for metric, title in _CROSS.items():
        for key, what in (("held_out", "held out"), ("source", "to the source of the context")):
            values = [scores["cross"][c][metric].get(key) for c in conditions]
            if any(value is not None for value in values):
                yield [f"{title}, {what}", *("" if value is None else f"{value:.3f}" for value in values)]


def _number(score: Mapping[str, Any]) -> str:
    """The value, or a dash and why there is none."""
    value = score["value"]
    if value is None:
        return f"- ({score['reason']})" if score["reason"] else "-"
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{text} ±{score['sd']:.1f}" if score.get("sd") is not None else text
