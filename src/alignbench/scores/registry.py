"""Every score by name: what it means, its range and direction, where it comes from, what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alignbench.errors import InputError, did_you_mean
from alignbench.scores import words

Scope = Literal["within", "cross"]
Direction = Literal["higher", "lower", ""]
Need = Literal["text", "embeddings"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One score.

    meaning: one or two sentences for the help. scope: of one set of responses (within), of two (cross), or both.
    low, high: its range, None where it is open. more_diverse: which way is more diverse, empty where the score does
    not say. version: changes with the formula and with the tokenizer; values of two versions never meet in one
    comparison. min_samples: fewest samples, of each side in a comparison, that a value needs.
    """

    name: str
    title: str
    meaning: str
    scope: tuple[Scope, ...]
    low: float
    high: float | None
    more_diverse: Direction
    source: str
    version: str
    needs: tuple[Need, ...]
    min_samples: int


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="words",
            title="words",
            meaning=(
                "Mean length of a response in words, and its standard deviation. Longer responses share more words by "
                "chance, so read the lexical scores beside it."
            ),
            scope=("within",),
            low=0.0,
            high=None,
            more_diverse="",
            source="Unicode words (UAX 29); one character is a word in scripts written without spaces",
            version=f"1+words{words.VERSION}",
            needs=("text",),
            min_samples=1,
        ),
        Metric(
            name="jaccard",
            title="lexical similarity",
            meaning=(
                "How many content words two responses share, out of all the words they use: the mean over pairs. "
                "Shown as lexical diversity, one minus it, where more is more diverse."
            ),
            scope=("within", "cross"),
            low=0.0,
            high=1.0,
            more_diverse="lower",
            source="Jaccard 1912; over responses as in Lake, Choi and Durrett 2024, arXiv 2406.17692",
            version=f"1+words{words.VERSION}",
            needs=("text",),
            min_samples=2,
        ),
        Metric(
            name="distinct_2",
            title="distinct-2",
            meaning=(
                "Different word pairs over all word pairs of the set: low where responses repeat themselves or each "
                "other. It falls as samples are added, so compare it at equal n."
            ),
            scope=("within",),
            low=0.0,
            high=1.0,
            more_diverse="higher",
            source="Li et al. 2016, arXiv 1510.03055",
            version=f"1+words{words.VERSION}",
            needs=("text",),
            min_samples=1,
        ),
        Metric(
            name="embedding_diversity",
            title="embedding diversity",
            meaning=(
                "One minus the mean cosine similarity of the responses' sentence embeddings, over pairs. It sees "
                "topics rather than words, and does not see stance."
            ),
            scope=("within",),
            low=0.0,
            high=2.0,
            more_diverse="higher",
            source="cosine similarity of sentence embeddings: Reimers and Gurevych 2019, arXiv 1908.10084",
            version="1",
            needs=("embeddings",),
            min_samples=2,
        ),
        Metric(
            name="embedding_similarity",
            title="embedding similarity",
            meaning=(
                "Mean cosine similarity of a condition's responses to the reference's. Its ceiling is the reference "
                "against itself. It does not see stance."
            ),
            scope=("cross",),
            low=-1.0,
            high=1.0,
            more_diverse="",
            source="cosine similarity of sentence embeddings: Reimers and Gurevych 2019, arXiv 1908.10084",
            version="1",
            needs=("embeddings",),
            min_samples=1,
        ),
    )
}

WITHIN = tuple(name for name, metric in METRICS.items() if "within" in metric.scope)
CROSS = tuple(name for name, metric in METRICS.items() if "cross" in metric.scope)


def metric(name: str) -> Metric:
    """The score of this name; InputError with the nearest names where there is none."""
    try:
        return METRICS[name]
    except KeyError:
        raise InputError(f"There is no score named {name!r}. {did_you_mean(name, METRICS)}".rstrip()) from None
