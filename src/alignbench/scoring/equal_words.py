"""Responses at an equal word budget: random sentences of each, so that lexical scores do not measure length.

Longer responses share more words by chance. Their openings alone (`responses.Truncated`) are of one length too, but
openings are alike for reasons of their own.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from alignbench.metrics.registry import METRICS
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import Value
from alignbench.metrics.words import words
from alignbench.progress import Progress, silent
from alignbench.scoring.batch import score_responses
from alignbench.scoring.responses import CellTexts, Responses, opening
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables, WithinEstimate
from alignbench.scoring.scorer import ScoreRequest
from alignbench.spec import content_hash

_Score = TypeVar("_Score", WithinEstimate, CrossEstimate)


def is_lexical(metric: str) -> bool:
    """Whether a score is of words other than their number, which the budget sets."""
    known = METRICS.get(metric)
    return known is not None and known.live and known.needs == ("text",) and known.family != "length"


class EqualWords:
    """Random sentences of responses. The budget of a prompt is the median length in its shortest condition."""

    def __init__(self, responses: Responses, seed: int) -> None:
        self._responses, self._seed = responses, seed
        self.prompts, self.conditions = responses.prompts, responses.conditions
        self.n, self.left_out, self.contested = responses.n, responses.left_out, responses.contested

    def cells(self, prompt: str) -> CellTexts:
        cells = self._responses.cells(prompt)
        medians = [
            statistics.median_low([len(words(text)) for text in there])
            for cell in cells.values()
            if (there := [text for text in cell.values() if text.strip()])
        ]
        budget = min(medians, default=0)
        return {
            condition: {sample: random_sentences(text, budget, self._seed) for sample, text in cell.items()}
            for condition, cell in cells.items()
        }

    def surprisals(self, _: str) -> dict[str, Value]:
        return {}  # of whole responses only


def random_sentences(text: str, n_words: int, seed: int) -> str:
    """Sentences of a text drawn at random, in their order, the last one drawn cut so that they have `n_words` words.

    A text that has no more words comes whole. The draw depends on the seed and on the text alone.
    """
    if len(words(text)) <= n_words:
        return text
    pieces = sentences(text)
    rng = np.random.default_rng([seed, int(content_hash(text)[:16], 16)])
    drawn: dict[int, str] = {}
    left = n_words
    for i in rng.permutation(len(pieces)).tolist():
        if not left:
            break
        drawn[i] = opening(pieces[i], left)
        left -= len(words(drawn[i]))
    return "\n".join(drawn[i] for i in sorted(drawn))


def with_equal_words(
    tables: ScoreTables,
    responses: Responses,
    request: ScoreRequest,
    progress: Progress = silent,
    processes: int = 1,
) -> ScoreTables:
    """The tables with the lexical scores at an equal word budget beside the others.

    Args:
        tables: the scores of the responses.
        responses: whose sentences are drawn.
        wanted: what the tables were made of; its seed draws the sentences.
        progress: told how far the scoring is.
        processes: how many may share the work.
    """
    lexical = replace(
        request,
        within=tuple(name for name in request.within if is_lexical(name)),
        cross=tuple(name for name in request.cross if is_lexical(name)),
    )
    equal = score_responses(EqualWords(responses, request.seed), lexical, None, progress, processes=processes)
    return ScoreTables(_beside(tables.within, equal.within), _beside(tables.cross, equal.cross))


def _beside(
    table: Mapping[str, Mapping[str, _Score]], equal: Mapping[str, Mapping[str, _Score]]
) -> dict[str, dict[str, _Score]]:
    return {
        condition: {
            metric: replace(score, equal_words=equal[condition][metric])
            if is_lexical(metric) and metric in equal[condition]
            else score
            for metric, score in scores.items()
        }
        for condition, scores in table.items()
    }
