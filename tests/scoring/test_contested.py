"""Contested prompts: what embeddings cannot see is null, the rest stands."""

from __future__ import annotations

from alignbench.metrics.values import Cross, Value
from alignbench.scoring.contested import REASON, blind_to_stance, is_contested
from alignbench.scoring.prompt_scores import HeldOut, PromptScores, completed
from alignbench.spec import Prompt


def test_scores_over_embeddings_are_null() -> None:
    same = Cross(0.5, 4, 0.7)
    scores = PromptScores(
        {"a": {"jaccard": Value(0.2, 5), "embedding_diversity": Value(0.4, 5), "empty": Value(0.0, 5)}},
        {"a": {"jaccard": same, "embedding_similarity": same, "coverage": same}},
        {"embedding_similarity": same, "rouge_l": same},
        held_out={"a": {"embedding_similarity": HeldOut(0.4, 0.6), "jaccard": HeldOut(0.1, 0.2)}},
    )
    scores = completed(scores, PromptScores(), contested=True)
    assert scores.within["a"]["jaccard"].value == 0.2
    assert scores.within["a"]["empty"].value == 0.0
    assert scores.within["a"]["embedding_diversity"] == Value(None, 5, REASON)
    assert scores.cross["a"]["jaccard"] == scores.null["rouge_l"] == same
    assert scores.held_out["a"] == {
        "embedding_similarity": HeldOut(None, None, REASON),
        "jaccard": HeldOut(0.1, 0.2),
    }
    for cross in (
        scores.cross["a"]["embedding_similarity"],
        scores.cross["a"]["coverage"],
        scores.null["embedding_similarity"],
    ):
        assert (cross.value, cross.ceiling, cross.reason) == (None, None, REASON)


def test_which_scores_and_which_prompts() -> None:
    blind = {"embedding_diversity", "embedding_similarity", "vendi_embedding", "semantic_classes", "coverage"}
    assert all(map(blind_to_stance, blind))
    assert not any(map(blind_to_stance, ("jaccard", "vendi_ngram", "surprisal", "stance.yes")))
    assert is_contested(Prompt("1", "Is it?", "contested"))
    assert not is_contested(Prompt("1", "Is it?", "open-ended"))
