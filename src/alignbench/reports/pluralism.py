"""Investigation of pluralism: one side a response or both in each, how alike conditions are, and what they repeat.

After Lake, Choi and Durrett 2024 (arXiv 2406.17692) and Sorensen et al. 2024 (arXiv 2402.05070).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.contexts.source_samples import Sources
from alignbench.judging.stances import Stances
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WordMode
from alignbench.reports.anchor_lists import ListedAnchor, listed_anchors
from alignbench.reports.stance_pluralism import StancePluralism, stance_pluralism
from alignbench.scoring.condition_matrix import MATRICES, ConditionMatrix, condition_matrix
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Responses


@dataclass(frozen=True, slots=True)
class Pluralism:
    """What the investigation found beside the scores.

    Attributes:
        stances: From the distribution over stances to the sides that one response covers.
        matrices: How alike the responses of each two conditions are, by similarity.
        anchors: By condition, the phrases that its responses have in common.
    """

    stances: StancePluralism
    matrices: tuple[ConditionMatrix, ...] = ()
    anchors: Mapping[str, tuple[ListedAnchor, ...]] = field(default_factory=dict)


def pluralism(
    responses: Responses,
    stances: Stances,
    reference: str | None,
    embeddings: Embeddings | None,
    mode: WordMode,
    uncertainty: Uncertainty,
    sources: Sources,
) -> Pluralism:
    """Of all prompts of a report; no model is asked. sources: the reference's samples that contexts are made from."""
    return Pluralism(
        stances=stance_pluralism(responses, stances, reference, uncertainty),
        matrices=tuple(
            condition_matrix(
                metric, responses, embeddings, uncertainty, reference=reference, sources=sources, mode=mode
            )
            for metric in MATRICES
        ),
        anchors=listed_anchors(responses, mode),
    )
