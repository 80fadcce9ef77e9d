"""Contested prompts: answers that take opposite sides look alike to an embedding, so its scores say nothing there."""

from __future__ import annotations

from functools import cache

from alignbench.errors import AlignbenchError
from alignbench.metrics.registry import METRICS
from alignbench.prompts import load_prompts
from alignbench.spec import Prompt
from alignbench.store import Store

CONTESTED = "contested"  # the set of yes/no questions on which informed people differ
REASON = "the prompt is contested, and embeddings do not see which side an answer takes; a judge of stance does"


def is_contested(prompt: Prompt) -> bool:
    """Whether its answers are known to differ in stance: it is of the set that ships, or asks the same under another
    name, as imported responses do."""
    return prompt.set == CONTESTED or prompt.text in contested_texts()


def contested_prompts(store: Store, session: int) -> frozenset[str]:
    """Ids of the prompts that are known to be, and of those whose responses were judged by their stance."""
    judged = {row.prompt_id for row in store.judgments(session, kind="stance")}
    return frozenset(judged | {prompt.id for prompt in store.prompts(session) if is_contested(prompt)})


@cache
def contested_texts() -> frozenset[str]:
    """The prompts that ship as contested; empty where they cannot be read."""
    try:
        return frozenset(prompt.text for prompt in load_prompts(CONTESTED))
    except AlignbenchError:
        return frozenset()


def blind_to_stance(metric: str) -> bool:
    """Whether a score rests on sentence embeddings ("X is safe" and "X is not safe": cosine .985)."""
    return metric in METRICS and any(need.endswith("embeddings") for need in METRICS[metric].needs)
