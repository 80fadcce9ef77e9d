"""How many base responses one aligned response covers: coverage curves over k responses, both ways.

After Lake, Choi and Durrett 2024 (arXiv 2406.17692): an aligned response that gathers what several base responses say
is covered by their union, more so the more of them there are, and by none of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from alignbench.metrics.coverage import COVERAGE_THRESHOLD, best_matches, coverage_at, covered_responses, union_coverage
from alignbench.metrics.semantic import calibrated_threshold
from alignbench.metrics.statistics import Bootstrap
from alignbench.reports.cells import Sentences, sentence_vectors
from alignbench.reports.estimates import Entry, PromptValues, mean_entry
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses

SHARE = 0.5  # of a response's sentences, from which it counts as covered

_Curve = dict[str, list[float]]  # by prompt, for k = 1..n


def coverage_table(
    responses: Responses, reference: str, embeddings: Embeddings, unseen: frozenset[str], bootstrap: Bootstrap
) -> dict[str, Any]:
    """{"threshold", "false_matches", "share", "reason", "conditions": {name: {...}}}, without the reference.

    Of each: `of_reference`, for k = 1..n the share of one reference response's sentences that k of the condition's
    responses say together (means over prompts, with intervals); `by_reference`, the other way; `responses_covered`, how
    many of the condition's responses one reference response covers, of `n`; `equal_count`, both shares at k = 1 with
    as many sentences as the shortest response has. A sentence is said where its best match is the threshold or over it;
    false_matches: share of the sentences that reach it in an answer to another prompt. The threshold rises until at
    most 5% do. unseen: prompts on which embeddings say nothing.
    """
    prompts = [prompt for prompt in responses.prompts if prompt not in unseen]
    said = {
        prompt: {name: sentence_vectors(texts, embeddings) for name, texts in responses.cells(prompt).items()}
        for prompt in prompts
    }
    if not any(len(v) for cells in said.values() for cell in cells.values() for v in cell.values()):
        reason = embeddings.why_not or "embeddings do not see stance, and every prompt is contested"
        return {"threshold": None, "false_matches": None, "share": SHARE, "reason": reason, "conditions": {}}
    mismatched = _mismatched(said, reference)
    threshold = max(COVERAGE_THRESHOLD, calibrated_threshold(mismatched)) if mismatched else COVERAGE_THRESHOLD
    conditions = {
        name: _condition(said, reference, name, threshold, bootstrap)
        for name in responses.conditions
        if name != reference
    }
    return {
        "threshold": threshold,
        "false_matches": sum(match >= threshold for match in mismatched) / len(mismatched) if mismatched else None,
        "share": SHARE,
        "reason": "",
        "conditions": conditions,
    }


def _mismatched(said: Mapping[str, Mapping[str, Sentences]], reference: str) -> list[float]:
    """Best matches of the sentences of all conditions in one reference response to another prompt."""
    found: list[float] = []
    for prompt, other in other_prompt(said, 0).items():
        answers = [v for v in said[other].get(reference, {}).values() if len(v)]
        own = [v for cell in said[prompt].values() for v in cell.values() if len(v)]
        if answers and own:
            found += best_matches(np.concatenate(own), answers[:1])[:, 0].tolist()
    return found


def _condition(
    said: Mapping[str, Mapping[str, Sentences]], reference: str, name: str, threshold: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    of_reference: _Curve = {}
    by_reference: _Curve = {}
    covered: dict[str, float | None] = {}
    equal: dict[str, dict[str, float | None]] = {"of_reference": {}, "by_reference": {}}
    n = 0
    for prompt, cells in said.items():
        own = [v for v in cells.get(reference, {}).values() if len(v)]
        others = [v for v in cells.get(name, {}).values() if len(v)]
        if not own or not others:
            continue
        n = max(n, len(others))
        of_reference[prompt] = _union(own, others, threshold)
        by_reference[prompt] = _union(others, own, threshold)
        matches = [best_matches(v, own) for v in others]
        covered[prompt] = float(covered_responses(matches, SHARE, threshold).mean())
        shortest = min(map(len, (*own, *others)))
        equal["of_reference"][prompt] = coverage_at(np.concatenate(own), others, shortest, threshold)
        equal["by_reference"][prompt] = coverage_at(np.concatenate(others), own, shortest, threshold)
    return {
        "n": n,
        "of_reference": _points(of_reference, bootstrap),
        "by_reference": _points(by_reference, bootstrap),
        "responses_covered": mean_entry(covered, bootstrap),
        "equal_count": {way: mean_entry(column, bootstrap) for way, column in equal.items()},
    }


def _union(responses: list[Any], others: list[Any], threshold: float) -> list[float]:
    """The curve of one response's sentences by k of the others, the mean over the responses."""
    curves = [union_coverage(best_matches(sentences, others), threshold) for sentences in responses]
    return np.mean([curve for curve in curves if curve], axis=0).tolist()  # type: ignore[no-any-return]


def _points(curves: _Curve, bootstrap: Bootstrap) -> list[Entry]:
    """By k, over the prompts that have as many responses."""
    longest = max(map(len, curves.values()), default=0)
    points = []
    for k in range(1, longest + 1):
        column: PromptValues = {prompt: curve[k - 1] for prompt, curve in curves.items() if len(curve) >= k}
        points.append({"k": k, **mean_entry(column, bootstrap)})
    return points
