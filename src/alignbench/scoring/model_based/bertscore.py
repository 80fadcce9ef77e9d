"""BERTScore of responses to many prompts: token vectors from the embedding worker, a prompt at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from alignbench.engines.protocol import EmbedPool, Failed, TokensEmbedded
from alignbench.metrics.arrays import Floats
from alignbench.metrics.bertscore import TokenVectors, bertscore_matrix
from alignbench.metrics.values import Cross, Value, too_few
from alignbench.metrics.words import is_empty
from alignbench.progress import Progress
from alignbench.scoring.null import shuffled_cycle
from alignbench.scoring.pending_embeddings import PendingEmbeddings
from alignbench.scoring.responses import CellTexts, Responses

BERTSCORE = "bertscore_f1"

_NO_TOKEN = "no two responses have tokens"
_Cell = list[TokenVectors]  # of a condition's samples that are not empty


@dataclass(slots=True)
class BertScores:
    """within, cross: by prompt and condition; null: by prompt, the reference's answers to another one. encoder: model
    and layer, empty where nothing was embedded. why_not: why vectors are missing, where they are."""

    within: dict[tuple[str, str], Value] = field(default_factory=dict)
    cross: dict[tuple[str, str], Cross] = field(default_factory=dict)
    null: dict[str, Cross] = field(default_factory=dict)
    encoder: str = ""
    why_not: str = ""

    def reason(self, needed: int, n: int) -> str:
        """Why there is no mean over the pairs of n responses."""
        return self.why_not or (too_few(needed, n) if n < needed else _NO_TOKEN)


def bert_scores(
    responses: Responses,
    pool: EmbedPool,
    reference: str | None,
    progress: Progress,
    seed: int = 0,
) -> BertScores:
    """Means over pairs of responses: inside each condition, and of each condition with the reference.

    Token vectors are a megabyte a response and are not kept; those of a prompt are gone when its scores are there.
    seed: of the shuffled null.
    """
    scores = BertScores()
    cycle = shuffled_cycle(responses.prompts, seed)
    references: list[_Cell] = []  # the first prompt's, and the last one's
    for i, (prompt, cells) in enumerate(_vectors(scores, responses, pool, cycle)):
        inside = {condition: _mean(_pairs(cells.get(condition, []))) for condition in responses.conditions}
        for condition, mean in inside.items():
            n = len(cells.get(condition, []))
            scores.within[prompt, condition] = Value(mean, n, "" if mean is not None else scores.reason(2, n))
        if reference is not None:
            own = cells.get(reference, [])
            for condition in responses.conditions:
                other = own if condition == reference else cells.get(condition, [])
                scores.cross[prompt, condition] = _cross(scores, own, other, inside[reference], inside[condition])
            if references:
                scores.null[cycle[i - 1]] = _null(references[-1], own)
            references = [*references[:1], own]
        progress("BERTScore", i + 1, len(cycle))
    if len(references) > 1:
        scores.null[cycle[-1]] = _null(references[-1], references[0])
    return scores


def _cross(scores: BertScores, own: _Cell, other: _Cell, ceiling: float | None, inside: float | None) -> Cross:
    """The reference's cell with another one, or with itself; ceiling, inside: the means inside the two."""
    ceiling_reason = "" if ceiling is not None else scores.reason(2, len(own))
    if other is own:
        return Cross(
            ceiling,
            len(own) * (len(own) - 1) // 2,
            ceiling,
            ceiling_reason,
            ceiling_reason,
            mmd2=_mmd2(ceiling, ceiling, ceiling),
        )
    pairs = _finite(bertscore_matrix(own, other))
    value = _mean(pairs)
    reason = "" if value is not None else scores.reason(1, min(len(own), len(other)))
    return Cross(value, pairs.size, ceiling, reason, ceiling_reason, mmd2=_mmd2(ceiling, inside, value))


def _null(reference: _Cell, answers: _Cell) -> Cross:
    pairs = _finite(bertscore_matrix(reference, answers))
    return Cross(_mean(pairs), pairs.size, None)


def _mmd2(own: float | None, other: float | None, between: float | None) -> float | None:
    return None if own is None or other is None or between is None else own + other - 2.0 * between


def _pairs(cell: _Cell) -> Floats:
    """Of every two different responses."""
    rows = [bertscore_matrix([one], cell[i + 1 :])[0] for i, one in enumerate(cell[:-1])]
    return _finite(np.concatenate(rows)) if rows else np.empty(0)


def _finite(table: Floats) -> Floats:
    finite: Floats = table[~np.isnan(table)]
    return finite


def _mean(pairs: Floats) -> float | None:
    return float(pairs.mean()) if pairs.size else None


def _vectors(
    scores: BertScores, responses: Responses, pool: EmbedPool, prompts: list[str]
) -> Iterator[tuple[str, dict[str, _Cell]]]:
    """Each prompt with its cells' token vectors; the worker is one prompt ahead."""

    def ask(prompt: str) -> tuple[CellTexts, tuple[str, ...], PendingEmbeddings[TokensEmbedded]]:
        cells = responses.cells(prompt)
        texts = tuple(dict.fromkeys(text for cell in cells.values() for text in cell.values() if not is_empty(text)))
        return cells, texts, PendingEmbeddings(pool.embed_tokens, texts)

    following = ask(prompts[0]) if prompts else None
    for i, prompt in enumerate(prompts):
        assert following is not None
        cells, texts, pending = following
        answer = pending.wait()
        if i + 1 < len(prompts):
            following = ask(prompts[i + 1])
        vectors: Mapping[str, TokenVectors] = {}
        if isinstance(answer, Failed):
            scores.why_not = f"embedding tokens failed: {answer.message}"
        else:
            scores.encoder = f"{answer.model}:{answer.layer}"
            pairs = zip(answer.vectors, answer.counts, strict=True)
            vectors = {text: TokenVectors(*pair) for text, pair in zip(texts, pairs, strict=True)}
        yield (
            prompt,
            {
                condition: [vectors[text] for text in cell.values() if text in vectors]
                for condition, cell in cells.items()
            },
        )
