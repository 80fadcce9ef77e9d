"""What a session tells of how the differences between conditions spread, over prompts and over samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alignbench.metrics.cut_texts import CutSimilarity, CutText, CutTexts
from alignbench.metrics.jackknife import jackknife_variance
from alignbench.metrics.length_matched import matched_value
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.porter import stem
from alignbench.metrics.power import MIN_PILOT, PilotSpread, PromptDifference
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import NON_EMPTY, WORKBENCH, Value, too_few
from alignbench.progress import Progress, silent
from alignbench.scoring.contested import blind_to_stance
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.jackknife import left_out_places
from alignbench.scoring.responses import Responses, Texts
from alignbench.scoring.scorer import CellResponses, Scorer, ScoreRequest


@dataclass(frozen=True, slots=True)
class PilotComparison:
    """A condition against the reference in one score.

    Attributes:
        condition: its name.
        metric: name of the score.
        matched: whether the responses were cut to equal lengths.
        spread: of the difference; None where `reason` says why.
    """

    condition: str
    metric: str
    matched: bool
    spread: PilotSpread | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What a pilot tells of the comparisons of its conditions with the reference.

    Attributes:
        session: its number.
        reference: name of the condition that the others are compared with.
        effect: the difference that is to be found, in the units of each score.
        comparisons: one at least has a spread.
    """

    session: int
    reference: str
    effect: float
    comparisons: tuple[PilotComparison, ...]


def pilot_comparisons(
    responses: Responses,
    reference: str,
    metrics: Sequence[str],
    embeddings: Embeddings,
    progress: Progress = silent,
) -> list[PilotComparison]:
    """Every other condition against the reference in each score, in lexical ones at matched length too.

    Args:
        responses: Of the pilot.
        reference: Name of one of its conditions.
        metrics: Names of live scores of one set that are means over samples or their pairs.
        embeddings: Those that are kept are used, none is made.
        progress: Told of prompts.
    """
    measures = [
        (metric, matched) for metric in metrics for matched in ((True, False) if METRICS[metric].lexical else (False,))
    ]
    differences: dict[tuple[str, str, bool], list[PromptDifference]] = {
        (name, *measure): [] for name in responses.conditions if name != reference for measure in measures
    }
    scorer, lexicon = Scorer(ScoreRequest(within=tuple(metrics), cross=())), Lexicon(WORKBENCH, stem)
    for done, prompt in enumerate(responses.prompts, 1):
        cells = {name: texts for name, texts in responses.cells(prompt).items() if texts}
        blind = {metric for metric in metrics if prompt in responses.contested and blind_to_stance(metric)}
        if reference in cells:
            scores = scorer.left_out({name: _cell(texts, embeddings) for name, texts in cells.items()})
            matched = _Matched(cells, reference, lexicon)
            for (name, metric, is_matched), of in differences.items():
                if name in cells and metric not in blind:
                    n = (len(cells[name]), len(cells[reference]))
                    one = matched.difference(name, metric) if is_matched else _plain(scores, name, reference, metric, n)
                    of += [] if one is None else [one]
        progress("comparing", done, len(responses.prompts))
    return [_comparison(*key, of, embeddings.why_not) for key, of in differences.items()]


def _comparison(
    condition: str, metric: str, matched: bool, prompts: Sequence[PromptDifference], no_embeddings: str
) -> PilotComparison:
    if len(prompts) >= MIN_PILOT:
        return PilotComparison(condition, metric, matched, PilotSpread.of(prompts))
    embedded = "embeddings" in METRICS[metric].needs
    reason = no_embeddings if embedded and not prompts else too_few(MIN_PILOT, len(prompts), "prompt")
    return PilotComparison(condition, metric, matched, None, reason)


def _cell(texts: Texts, embeddings: Embeddings) -> CellResponses:
    kept = embeddings.vectors(texts.values())
    return CellResponses(texts, {i: kept[text] for i, text in texts.items() if text in kept}, embeddings.why_not)


def _plain(
    scores: Mapping[str, Sequence[Mapping[str, Value]]],
    condition: str,
    reference: str,
    metric: str,
    n_samples: Sequence[int],
) -> PromptDifference | None:
    sides = [[_number(of[metric]) for of in scores[name]] for name in (condition, reference)]
    (own, *_), (other, *_) = sides
    if own is None or other is None:
        return None
    return _difference(own - other, [side[1:] for side in sides], n_samples)


def _number(value: Value) -> float | None:
    """What differences compare."""
    return value.extra.get(NON_EMPTY, value.value)


class _Matched:
    """The responses to one prompt, to be compared at matched length."""

    def __init__(self, cells: Mapping[str, Texts], reference: str, lexicon: Lexicon) -> None:
        self._reference = reference
        self._texts = CutTexts(
            [CutText.of(text, lexicon, 0) for cell in cells.values() for text in cell.values()], lexicon
        )
        ends = np.cumsum([len(cell) for cell in cells.values()]).tolist()
        self._rows = {name: np.arange(end - len(cells[name]), end) for name, end in zip(cells, ends, strict=True)}

    def difference(self, condition: str, metric: str) -> PromptDifference | None:
        cut = METRICS[metric].cut
        assert cut is not None
        similarity = cut(self._texts)
        own, other = self._rows[condition], self._rows[self._reference]
        value = self._of(similarity, own, other)
        if value is None:
            return None
        left = [
            [self._of(similarity, own[kept], other) for kept in left_out_places(len(own))],
            [self._of(similarity, own, other[kept]) for kept in left_out_places(len(other))],
        ]
        return _difference(value, left, [len(own), len(other)])

    def _of(self, similarity: CutSimilarity, own: Ints, other: Ints) -> float | None:
        return matched_value(self._texts, similarity, own, other).difference


def _difference(value: float, left_out: Sequence[Sequence[float | None]], n_samples: Sequence[int]) -> PromptDifference:
    """left_out: of both sides, the values without each sample; None where nothing is left to compare."""
    sides = [[one for one in side if one is not None] for side in left_out]
    if any(len(there) < max(2, len(side)) for there, side in zip(sides, left_out, strict=True)):
        return PromptDifference(value)
    variances = [jackknife_variance(side) for side in sides]
    of_one = sum(variance * n for variance, n in zip(variances, n_samples, strict=True))
    return PromptDifference(value, sum(variances), of_one)
