"""The planted experiments: nulls, in which a claim is an error, and effects of known size, in which one is due."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from alignbench.calibration.planted import (
    FLOOR,
    OTHER,
    REFERENCE,
    Plant,
    PlantedCells,
    PlantedResponse,
    PromptTexts,
    Rng,
)
from alignbench.calibration.plants import (
    longer,
    nonce_words,
    nonsense,
    otherwise_written,
    repeating,
    some_sentences,
    union,
)
from alignbench.judging.summary import STANCES
from alignbench.metrics.words import words
from alignbench.reports.finding import Claim, ClaimKind
from alignbench.scoring.responses import opening

_TOKENS = 1.3  # of a word
_BITS, _BITS_SPREAD = 1.5, 0.5  # of a byte: the middle, and how far the logarithm reaches
_SHORT = (0.3, 0.8)  # what is left of a text that is cut: least and largest share
_GOOD, _BAD = 4.0, 1.0  # quality
_PROMPT_STANCES = (1.0, 1.0, 0.7, 0.3)  # yes, no, both, other: how prompts spread their responses (Dirichlet)


SENTENCES: Mapping[ClaimKind, tuple[str, ...]] = {
    "length": ("words",),
    "diversity": ("embedding_diversity",),
    "matched diversity": ("jaccard",),
    "gate": ("jaccard",),
    "aggregation": ("coverage",),
    "recovery": ("jaccard", "embedding_similarity"),
    "distribution": ("jaccard", "embedding_similarity"),
    "entropy": ("sampling_entropy",),
    "stance spread": ("stance_entropy",),
    "sides": ("stance_coverage",),
    "both sides": ("names_both",),
    "anchors": ("anchor_share",),
}
"""The metrics that each kind of claim is made of."""


@dataclass(frozen=True, slots=True)
class PlantedExperiment:
    """Conditions of which it is known how they differ.

    Attributes:
        planted: what was, in a few words.
        plant: makes the responses of one prompt.
        due: how what is to be claimed of the other condition begins; none in a null.
        besides: what may be claimed, because it is planted along with the rest or not known. Any other claim, and any
            in another direction, is an error.
        sources: the reference's samples that the other condition's context is made from.
        samples: of a prompt, as a multiple of those of the others: fewer than 10 carry no claim about coverage.
    """

    name: str
    planted: str
    plant: Plant
    due: Mapping[ClaimKind, str] = field(default_factory=dict)
    besides: Collection[ClaimKind] = ()
    sources: Collection[int] = ()
    samples: int = 1

    def is_due(self, claim: Claim) -> bool:
        return claim.kind in self.due and claim.says.startswith(self.due[claim.kind])

    def is_error(self, claim: Claim) -> bool:
        """Whether what is claimed of the other condition is not so."""
        return claim.kind not in self.besides and not self.is_due(claim)


def responses(texts: Collection[str], quality: float | None = None) -> list[PlantedResponse]:
    """Of texts with a token for each part of a word that is usual, all of one quality."""
    made = []
    for text in texts:
        n_tokens = round(_TOKENS * len(words(text)))
        made.append(PlantedResponse(text, quality, n_tokens=n_tokens, bits=_bits(text)))
    return made


def _bits(text: str) -> float:
    """Of a text, spread over texts by what they say, alike under all conditions."""
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) * _BITS * math.exp(_BITS_SPREAD * (zlib.crc32(raw) / 2**32 - 0.5))


def _two_sides(prompt: PromptTexts, n: int, rng: Rng, more: int = 0) -> tuple[list[str], list[str], list[str]]:
    """The reference's and the other's texts, of one condition, and so many more."""
    drawn = prompt.draw(2 * n + more, rng)
    return drawn[:n], drawn[n : 2 * n], drawn[2 * n :]


def _cells(reference: Collection[str], other: Collection[str]) -> PlantedCells:
    return {OTHER: responses(other), REFERENCE: responses(reference)}


def _shortened(texts: list[str], rng: Rng) -> list[str]:
    shares = rng.uniform(*_SHORT, len(texts)).tolist()
    return [
        some_sentences(text, round(share * len(words(text))), rng) for text, share in zip(texts, shares, strict=True)
    ]


def same(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    return _cells(own, other)


def cut(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    return _cells(own, _shortened(other, rng))


def truncated(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    limit = int(np.quantile([len(words(text)) for text in (*own, *other)], 0.4))
    cut_short = [
        replace(response, truncated=len(words(text)) > limit)
        for response, text in zip(responses([opening(text, limit) for text in other]), other, strict=True)
    ]
    return {OTHER: cut_short, REFERENCE: responses(own)}


def empty(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    share = rng.uniform(0.0, 0.6)
    return _cells(own, ["" if rng.random() < share else text for text in other])


def tokenized(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    rewritten = responses([otherwise_written(text) for text in other])
    return {
        OTHER: [replace(response, n_tokens=2 * response.n_tokens) for response in rewritten],
        REFERENCE: responses(own),
    }


def more_samples(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, more = _two_sides(prompt, n, rng, n)
    return _cells(own, other + more)


def duplicated(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    sides = [[texts[0] if i and rng.random() < 0.4 else text for i, text in enumerate(texts)] for texts in (own, other)]
    return _cells(*sides)


def difficulty(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """Each side of each prompt repeats itself by a share of its own: equal on average, and on no prompt."""
    own, other, (first, second) = _two_sides(prompt, n, rng, 2)
    low, high = rng.beta(0.5, 1.5, 2).tolist()
    return _cells(repeating(own, first, low, rng), repeating(other, second, high, rng))


def diverse(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, (template,) = _two_sides(prompt, n, rng, 1)
    return _cells(repeating(own, template, 0.3, rng), other)


def surer(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    return {OTHER: [replace(one, bits=0.9 * one.bits) for one in responses(other)], REFERENCE: responses(own)}


def longer_by_a_third(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, more = _two_sides(prompt, n, rng, n)
    return _cells(longer(own, more, 0.3, rng), other)


def three_times(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """The reference is three times as long and says no more than its length has room for."""
    own, other, more = _two_sides(prompt, n, rng, 2 * n)
    return _cells(longer(longer(own, more[:n], 1.0, rng), more[n:], 1.0, rng), other)


def aggregating(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    drawn = prompt.draw(4 * n, rng)
    return _cells([union(drawn[3 * i : 3 * i + 3]) for i in range(n)], drawn[3 * n :])


def _by_failing(texts: Collection[str], fails: Collection[bool]) -> list[PlantedResponse]:
    graded = zip(responses(texts), fails, strict=True)
    return [replace(one, quality=_BAD if bad else _GOOD) for one, bad in graded]


def gate_at_random(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, (template,) = _two_sides(prompt, n, rng, 1)
    fails = [rng.random() < 0.35 for _text in other]
    return {
        OTHER: _by_failing(other, fails),
        REFERENCE: responses(repeating(own, template, 0.3, rng), quality=_GOOD),
    }


def gate_by_length(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, _more = _two_sides(prompt, n, rng)
    fails = [rng.random() < 0.35 for _text in other]
    short = _shortened(other, rng)
    texts = [cut_short if bad else text for cut_short, text, bad in zip(short, other, fails, strict=True)]
    return {OTHER: _by_failing(texts, fails), REFERENCE: responses(own, quality=_GOOD)}


def gate(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """What fails is words that nobody else says; what passes is as diverse as the reference."""
    own, other, _more = _two_sides(prompt, n, rng)
    fails = [rng.random() < 0.35 for _text in other]
    texts = [nonsense(text, rng) if bad else text for text, bad in zip(other, fails, strict=True)]
    return {OTHER: _by_failing(texts, fails), REFERENCE: responses(own, quality=_GOOD)}


def _apart(prompt: PromptTexts, elsewhere: PromptTexts, n: int, rng: Rng, share: float) -> dict[str, list[str]]:
    """A floor that answers other prompts, and a condition of which this share of responses is the reference's kind."""
    drawn, wrong = prompt.draw(2 * n, rng), elsewhere.draw(2 * n, rng)
    mixed = [drawn[n + i] if rng.random() < share else wrong[n + i] for i in range(n)]
    return {REFERENCE: drawn[:n], OTHER: mixed, FLOOR: wrong[:n]}


def like_floor(prompt: PromptTexts, elsewhere: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    return {name: responses(texts) for name, texts in _apart(prompt, elsewhere, n, rng, 0.0).items()}


def recovered(prompt: PromptTexts, elsewhere: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    return {name: responses(texts) for name, texts in _apart(prompt, elsewhere, n, rng, 0.5).items()}


def leaked(prompt: PromptTexts, elsewhere: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """The other condition has words of the reference's first sample that no other sample has, and nothing else."""
    texts = _apart(prompt, elsewhere, n, rng, 0.0)
    marks = [nonce_words(8, rng) for _ in range(n)]
    texts[REFERENCE] = [f"{text} {mark}" for text, mark in zip(texts[REFERENCE], marks, strict=True)]
    texts[OTHER] = [f"{text} {marks[0]}" for text in texts[OTHER]]
    texts[FLOOR] = [f"{text} {nonce_words(8, rng)}" for text in texts[FLOOR]]
    return {name: responses(of) for name, of in texts.items()}


def hinted(prompt: PromptTexts, elsewhere: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """The other condition says what the reference's first sample says, half of the time."""
    texts = _apart(prompt, elsewhere, n, rng, 0.0)
    texts[OTHER] = repeating(texts[OTHER], texts[REFERENCE][0], 0.5, rng)
    return {name: responses(of) for name, of in texts.items()}


def _with_stances(texts: Collection[str], shares: Sequence[float], rng: Rng) -> list[PlantedResponse]:
    """Responses that take each stance with these probabilities, whatever they say."""
    drawn = rng.choice(STANCES, len(texts), p=shares).tolist()
    return [replace(one, stance=stance) for one, stance in zip(responses(texts), drawn, strict=True)]


def same_stances(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """Two halves of one condition; prompts differ in how their responses are spread over stances."""
    own, other, _more = _two_sides(prompt, n, rng)
    shares = rng.dirichlet(_PROMPT_STANCES).tolist()
    return {OTHER: _with_stances(other, shares, rng), REFERENCE: _with_stances(own, shares, rng)}


def more_stances(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    own, other, more = _two_sides(prompt, n, rng, n)
    shares = rng.dirichlet(_PROMPT_STANCES).tolist()
    return {OTHER: _with_stances(other + more, shares, rng), REFERENCE: _with_stances(own, shares, rng)}


def more_even(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """The reference leans to one side of each prompt, the other condition to neither; no response names both."""
    own, other, _more = _two_sides(prompt, n, rng)
    leaning = (0.9, 0.1, 0.0, 0.0) if rng.random() < 0.5 else (0.1, 0.9, 0.0, 0.0)
    even = (0.5, 0.5, 0.0, 0.0)
    return {OTHER: _with_stances(other, even, rng), REFERENCE: _with_stances(own, leaning, rng)}


def both_named(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """Half of the reference's responses name both sides, where the other condition takes one of them."""
    own, other, _more = _two_sides(prompt, n, rng)
    yes = rng.uniform(0.3, 0.7)
    split, named = (yes, 1 - yes, 0.0, 0.0), (yes / 2, (1 - yes) / 2, 0.5, 0.0)
    return {OTHER: _with_stances(other, split, rng), REFERENCE: _with_stances(own, named, rng)}


def anchored(prompt: PromptTexts, _: PromptTexts, n: int, rng: Rng) -> PlantedCells:
    """Each of the reference's responses has eight words in common with most of its others, as many as the other
    condition's have of their own."""
    own, other, _more = _two_sides(prompt, n, rng)
    phrase = nonce_words(8, rng)
    shared = [phrase if rng.random() < 0.8 else nonce_words(8, rng) for _text in own]
    return _cells(
        [f"{text} {words}" for text, words in zip(own, shared, strict=True)],
        [f"{text} {nonce_words(8, rng)}" for text in other],
    )


_MORE_DIVERSE: Mapping[ClaimKind, str] = {"diversity": "more diverse", "matched diversity": "more diverse"}
_APART: Mapping[ClaimKind, str] = {"distribution": "another"}
_TEXTS: tuple[ClaimKind, ...] = ("distribution",)
_LENGTH: tuple[ClaimKind, ...] = ("length", "distribution")
_UNLIKE: tuple[ClaimKind, ...] = ("diversity", "matched diversity", "distribution")
_ANCHORS: tuple[ClaimKind, ...] = ("anchors",)
_DIVERSITY: tuple[ClaimKind, ...] = (*_UNLIKE, *_ANCHORS)
_SPREAD: tuple[ClaimKind, ...] = ("stance spread",)

EXPERIMENTS: tuple[PlantedExperiment, ...] = (
    PlantedExperiment("same", "the same condition under other seeds", same),
    PlantedExperiment("empty", "0 to 60% of one side empty", empty),
    PlantedExperiment("truncated", "most of one side cut at the limit", truncated, besides=_TEXTS),
    PlantedExperiment("tokenized", "one side in other letters, spaces and tokens", tokenized),
    PlantedExperiment("more samples", "n samples against 2n", more_samples),
    PlantedExperiment("duplicated", "40% of the samples of both sides are copies", duplicated),
    PlantedExperiment("difficulty", "prompts differ much, in ways that cancel out", difficulty, besides=_TEXTS),
    PlantedExperiment("cut", "one side cut to shorter lengths", cut, besides=_LENGTH),
    PlantedExperiment("same, 2n", "2n samples of the same condition", same, samples=2),
    PlantedExperiment(
        "three times", "2n samples, one side three times as long", three_times, besides=_LENGTH, samples=2
    ),
    PlantedExperiment("gate: random", "a gap, and what fails is random", gate_at_random, besides=_DIVERSITY),
    PlantedExperiment("gate: short", "what fails is short", gate_by_length, besides=_LENGTH),
    PlantedExperiment("like the floor", "a condition that is no more than the floor", like_floor, besides=_TEXTS),
    PlantedExperiment("leaked", "words of the hint's own source, no others", leaked, besides=_DIVERSITY, sources=(0,)),
    PlantedExperiment(
        "diversity", "30% of the reference's sentences from one text", diverse, {**_MORE_DIVERSE, **_APART},
        _ANCHORS,
    ),
    PlantedExperiment("entropy", "10% fewer bits a token", surer, {"entropy": "narrower"}),
    PlantedExperiment("length", "the reference 30% longer", longer_by_a_third, {"length": "shorter"}, _TEXTS),
    PlantedExperiment(
        "aggregation",
        "2n samples, the reference says what three say",
        aggregating,
        {"aggregation": "aggregation", "length": "shorter"},
        _DIVERSITY,
        samples=2,
    ),
    PlantedExperiment(
        "gate", "what fails is nonsense", gate, {"gate": "part of the difference", **_MORE_DIVERSE}, _APART
    ),
    PlantedExperiment(
        "recovery", "half of the responses are the reference's", recovered, {"recovery": "some"}, _DIVERSITY
    ),
    PlantedExperiment(
        "hint", "half of the sentences are the source's", hinted, {"recovery": "some"}, _DIVERSITY, (0,)
    ),
    PlantedExperiment("stances: same", "two halves of one condition, by their stances", same_stances),
    PlantedExperiment("stances: 2n", "n stances against 2n", more_stances),
    PlantedExperiment("stances: even", "the reference leans to one side", more_even, {"stance spread": "more even"}),
    PlantedExperiment(
        "stances: both",
        "half of the reference's responses name both sides",
        both_named,
        {"both sides": "the reference", "sides": "less"},
        _SPREAD,
    ),
    PlantedExperiment(
        "anchors", "8 words that most of the reference has", anchored, {"anchors": "fewer"}, _UNLIKE
    ),
)  # fmt: skip
