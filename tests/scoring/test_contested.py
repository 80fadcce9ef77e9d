"""Contested prompts: what embeddings cannot see is null, the rest stands."""

from __future__ import annotations

from alignbench.metrics.values import Cross, Value
from alignbench.scoring.aggregate import PromptScores
from alignbench.scoring.contested import REASON, blind_to_stance, is_contested, without_the_blind
from alignbench.spec import Prompt


def test_scores_over_embeddings_are_null() -> None:
    same = Cross(0.5, 4, 0.7)
    scores = PromptScores(
        {"a": {"jaccard": Value(0.2, 5), "embedding_diversity": Value(0.4, 5), "empty": Value(0.0, 5)}},
        {"a": {"jaccard": same, "embedding_similarity": same, "coverage": same}},
        {"embedding_similarity": same, "rouge_l": same},
    )
    found = without_the_blind(scores)
    assert found.within["a"]["jaccard"].value == 0.2
    assert found.within["a"]["empty"].value == 0.0
    assert found.within["a"]["embedding_diversity"] == Value(None, 5, REASON)
    assert found.cross["a"]["jaccard"] == found.null["rouge_l"] == same
    for cross in (
        found.cross["a"]["embedding_similarity"],
        found.cross["a"]["coverage"],
        found.null["embedding_similarity"],
    ):
        assert (cross.value, cross.ceiling, cross.reason) == (None, None, REASON)


def test_which_scores_and_which_prompts() -> None:
    blind = {"embedding_diversity", "embedding_similarity", "vendi_embedding", "semantic_classes", "coverage"}
    assert all(map(blind_to_stance, blind))
    assert not any(map(blind_to_stance, ("jaccard", "vendi_ngram", "surprisal", "stance.yes")))
    assert is_contested(Prompt("1", "Is it?", "contested"))
    assert not is_contested(Prompt("1", "Is it?", "open-ended"))
