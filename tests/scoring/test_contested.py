"""Contested prompts: what embeddings cannot see is null, the rest stands."""

from __future__ import annotations

from alignbench.metrics.values import Cross, Value
from alignbench.prompts import load_prompts
from alignbench.scoring.contested import REASON, blind_to_stance, is_contested
from alignbench.scoring.prompt_scores import Comparisons, PromptScores, completed
from alignbench.spec import Prompt


def test_scores_over_embeddings_are_null() -> None:
    same = Cross(0.5, 4, 0.7)
    compared = Comparisons(
        {"a": {"jaccard": same, "embedding_similarity": same, "coverage": same}},
        {"a": {"embedding_similarity": same}},
        {"a": {"embedding_similarity": same, "rouge_l": same}},
        {"a": {"embedding_similarity": 0.9, "jaccard": 0.8}},
    )
    scores = PromptScores(
        {"a": {"jaccard": Value(0.2, 5), "embedding_diversity": Value(0.4, 5), "empty": Value(0.0, 5)}},
        compared,
        compared,
        {"a": {"embedding_similarity": same, "jaccard": same}},
    )
    scores = completed(scores, PromptScores(), contested=True)
    assert scores.within["a"]["jaccard"].value == 0.2
    assert scores.within["a"]["empty"].value == 0.0
    assert scores.within["a"]["embedding_diversity"] == Value(None, 5, REASON)
    assert scores.source["a"]["jaccard"] == same
    blind = [scores.source["a"]["embedding_similarity"]]
    for of in (scores.held_out, scores.with_source):
        assert of.cross["a"]["jaccard"] == of.null["a"]["rouge_l"] == same
        assert of.max_matched == {"a": {"jaccard": 0.8}}
        blind += [of.cross["a"]["coverage"], of.floor["a"]["embedding_similarity"]]
        blind += [table["a"]["embedding_similarity"] for table in (of.cross, of.null)]
    for cross in blind:
        assert (cross.value, cross.ceiling, cross.reason) == (None, None, REASON)


def test_which_scores_and_which_prompts() -> None:
    blind = {"embedding_diversity", "embedding_similarity", "vendi_embedding", "semantic_classes", "coverage"}
    assert all(map(blind_to_stance, blind))
    assert not any(map(blind_to_stance, ("jaccard", "vendi_ngram", "surprisal", "stance.yes")))
    assert is_contested(Prompt("1", "Is it?", "contested"))
    assert not is_contested(Prompt("1", "Is it?", "open-ended"))
    first, *_ = load_prompts("contested")
    assert is_contested(Prompt("theirs-7", first.text, "imported"))
