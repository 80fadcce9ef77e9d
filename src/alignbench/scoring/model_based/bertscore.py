"""BERTScore of responses to many prompts: token vectors from the embedding worker, a prompt at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from alignbench.contexts.source_samples import Sources, no_sources
from alignbench.engines.protocol import EmbedPool, Failed, TokensEmbedded
from alignbench.metrics.arrays import Floats
from alignbench.metrics.bertscore import TokenVectors, bertscore_matrix
from alignbench.metrics.values import Cross, Value, too_few
from alignbench.metrics.words import is_empty
from alignbench.progress import Progress
from alignbench.scoring.held_out import ANOTHER_PROMPT, HeldOut, ReferencePart
from alignbench.scoring.null import shuffled_cycle
from alignbench.scoring.pending_embeddings import PendingEmbeddings
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import CellTexts, Responses

BERTSCORE = "bertscore_f1"

_NO_TOKEN = "no two responses have tokens"
_Cell = dict[int, TokenVectors]  # of a condition's samples that are not empty


@dataclass(slots=True)
class BertScores:
    """within: by prompt and condition. compared: by prompt. encoder: model and layer, empty where nothing was embedded.
    why_not: why vectors are missing, where they are."""

    within: dict[tuple[str, str], Value] = field(default_factory=dict)
    compared: dict[str, PromptScores] = field(default_factory=dict)
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
    *,
    floor: str | None = None,
    sources: Sources = no_sources,
) -> BertScores:
    """Means over pairs of responses: inside each condition, and of each condition with the reference.

    Token vectors are a megabyte a response and are not kept; those of a prompt are gone when its scores are there.

    Args:
        responses: What is scored.
        pool: Makes the token vectors.
        reference: Name of the condition that the others are compared with; None compares nothing.
        progress: Told of prompts.
        seed: Of the shuffled null.
        floor: Name of the zero-shot condition; None without one.
        sources: The samples of the reference that contexts are made from.
    """
    scores = BertScores()
    cycle = shuffled_cycle(responses.prompts, seed)
    first: _Cell | None = None  # the reference's answers to the first prompt
    before: _Prompt | None = None
    for i, (prompt, cells) in enumerate(_vectors(scores, responses, pool, cycle)):
        inside = {condition: _mean(_pairs(cells.get(condition, {}))) for condition in responses.conditions}
        for condition, mean in inside.items():
            n = len(cells.get(condition, {}))
            scores.within[prompt, condition] = Value(mean, n, "" if mean is not None else scores.reason(2, n))
        if reference is not None:
            own = cells.get(reference, {})
            # The null of a prompt is what the reference says to the next one, so each waits for that.
            if before is not None:
                scores.compared[cycle[i - 1]] = _compared(scores, before, own)
            first = own if first is None else first
            before = _Prompt(HeldOut(reference, floor, sources(prompt)), cells, inside)
        progress("BERTScore", i + 1, len(cycle))
    if before is not None:
        scores.compared[cycle[-1]] = _compared(scores, before, first if len(cycle) > 1 else None)
    return scores


@dataclass(frozen=True, slots=True)
class _Prompt:
    """What is held out of a prompt's comparisons, its cells, and the mean inside each."""

    rule: HeldOut
    cells: Mapping[str, _Cell]
    inside: Mapping[str, float | None]


def _compared(scores: BertScores, prompt: _Prompt, null: _Cell | None) -> PromptScores:
    """null: the reference's answers to another prompt."""
    reference = prompt.rule.reference
    own, ceiling = prompt.cells.get(reference, {}), prompt.inside[reference]

    def similarities(name: str, part: ReferencePart) -> dict[str, Cross]:
        if name == reference:
            return {BERTSCORE: _itself(scores, own, ceiling)}
        other = null if name == ANOTHER_PROMPT else prompt.cells.get(name, {})
        if other is None:
            return {}
        return {BERTSCORE: _cross(scores, _in(own, part), other, ceiling, prompt.inside.get(name))}

    return prompt.rule.compared(prompt.inside, own, similarities)


def _in(cell: _Cell, part: ReferencePart) -> _Cell:
    return {sample: vectors for sample, vectors in cell.items() if sample in part}


def _itself(scores: BertScores, own: _Cell, ceiling: float | None) -> Cross:
    reason = "" if ceiling is not None else scores.reason(2, len(own))
    return Cross(ceiling, len(own) * (len(own) - 1) // 2, ceiling, reason, reason, _mmd2(ceiling, ceiling, ceiling))


def _cross(scores: BertScores, own: _Cell, other: _Cell, ceiling: float | None, inside: float | None) -> Cross:
    """Some of the reference's samples with another cell; ceiling, inside: the means inside the two."""
    pairs = _finite(bertscore_matrix([*own.values()], [*other.values()]))
    value = _mean(pairs)
    reason = "" if value is not None else scores.reason(1, min(len(own), len(other)))
    ceiling_reason = "" if ceiling is not None else scores.reason(2, len(own))
    return Cross(value, pairs.size, ceiling, reason, ceiling_reason, mmd2=_mmd2(ceiling, inside, value))


def _mmd2(own: float | None, other: float | None, between: float | None) -> float | None:
    return None if own is None or other is None or between is None else own + other - 2.0 * between


def _pairs(cell: _Cell) -> Floats:
    """Of every two different responses."""
    vectors = [*cell.values()]
    rows = [bertscore_matrix([one], vectors[i + 1 :])[0] for i, one in enumerate(vectors[:-1])]
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
                condition: {sample: vectors[text] for sample, text in cell.items() if text in vectors}
                for condition, cell in cells.items()
            },
        )
