"""The quality gate: what passes, and what that does to diversity."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from alignbench.calibration.bags import BagsOfWords
from alignbench.importing.save import save_import
from alignbench.judging.qualities import read_qualities
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.overton.read import datasets, read_dataset
from alignbench.reports.cells import cell_values
from alignbench.reports.gate import QualityGate, quality_gate
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store
from tests.support.judged import fill, judgment
from tests.support.paper_data import OVERTON, needs_paper_data

ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")
BASE, ALIGNED = "demo-base", "demo-smollm2"
TEXTS = {
    **{(p, BASE, 0): "sun moon star lake hill" for p in range(2)},
    **{(p, BASE, 1): "sun moon fish bird frog" for p in range(2)},
    **{(p, BASE, 2): "noise static hum buzz drone" for p in range(2)},
    **{(p, ALIGNED, i): "sun moon star lake hill" for p in range(2) for i in range(3)},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def judge(store: Store, *, noise: int) -> None:
    """Everything is good but the noise of the base."""
    samples = fill(store, prompts=2, n=3, texts=TEXTS)
    judgments = []
    for (p, condition, i), row in samples.items():
        grade = noise if (condition, i) == (BASE, 2) else 5
        grades = dict.fromkeys(ASPECTS, grade) | ({"factuality": None} if p else {})
        judgments.append(judgment("quality", row, **grades))
    store.add_judgments(1, judgments)


def gate(
    store: Store,
    threshold: float = 3.0,
    metrics: tuple[str, ...] = ("words", "jaccard", "self_bleu"),
    embeddings: Embeddings | None = None,
) -> QualityGate:
    return quality_gate(
        SessionResponses(store, 1), read_qualities(store, 1), metrics, WORKBENCH, embeddings,
        frozenset(), ALIGNED, Uncertainty(resamples=100), threshold,
    )  # fmt: skip


def test_what_fails_is_gone_and_similarity_rises(store: Store) -> None:
    judge(store, noise=1)
    table = gate(store)
    base, aligned = table.conditions[BASE], table.conditions[ALIGNED]
    assert (base.judged, base.passing, base.share.value) == (6, 4, pytest.approx(2 / 3))
    assert aligned.passing == 6
    assert set(base.metrics) == {"jaccard"}  # words say nothing of diversity, self-BLEU moves with n
    change = base.metrics["jaccard"]
    assert change.before.value == pytest.approx(1 / 12)
    assert change.after.value == pytest.approx(1 / 4)
    assert change.change.value == pytest.approx(1 / 6)
    gap = base.gap["jaccard"]
    assert gap.before.value == pytest.approx(1 / 12 - 1)
    assert gap.after.value == pytest.approx(1 / 4 - 1)
    assert gap.share.value == pytest.approx((1 / 6) / (11 / 12))
    assert "needs 20 prompts" in gap.share.reason


def test_a_gate_that_lets_all_pass_changes_nothing(store: Store) -> None:
    judge(store, noise=1)
    base = gate(store, threshold=1.0).conditions[BASE]
    assert base.passing == base.judged
    assert base.metrics["jaccard"].change.value == 0


def test_scores_of_embeddings_need_no_words(store: Store) -> None:
    judge(store, noise=1)
    base = gate(store, metrics=("embedding_diversity",), embeddings=BagsOfWords()).conditions[BASE]
    assert set(base.metrics) == set(base.gap) == {"embedding_diversity"}
    assert (base.metrics["embedding_diversity"].change.value or 0.0) < 0


def test_a_prompt_without_two_survivors_has_no_part(store: Store) -> None:
    judge(store, noise=1)
    base = gate(store, threshold=5.0).conditions[BASE]
    assert base.metrics["jaccard"].before.n == 2
    none = gate(store, threshold=5.5).conditions[BASE]
    assert none.passing == 0
    assert none.metrics["jaccard"].after == Estimate(None, None, 0, "no prompt has two responses that pass")


def test_a_gap_that_is_length_has_no_share(store: Store) -> None:
    """All say words of one vocabulary at random. What is short fails, and only the base has short responses."""
    draw = random.Random(0)

    def said(n_sentences: int) -> str:
        return " ".join(f"{' '.join(f'w{draw.randrange(60)}' for _ in range(8))}." for _ in range(n_sentences))

    texts = {
        (p, condition, i): said(2 if condition == BASE and i % 2 else 10)
        for p in range(24)
        for condition in (BASE, ALIGNED)
        for i in range(4)
    }
    samples = fill(store, prompts=24, n=4, texts=texts)
    grades = {key: 1 if len(text.split()) < 20 else 5 for key, text in texts.items()}
    store.add_judgments(
        1, [judgment("quality", row, **dict.fromkeys(ASPECTS, grades[key])) for key, row in samples.items()]
    )
    base = gate(store).conditions[BASE]
    assert (base.judged, base.passing) == (96, 48)
    raw = [
        cell_values({i: texts[p, BASE, i] for i in which}, ["jaccard"], WORKBENCH, None)["jaccard"].value
        for which in (range(4), (0, 2))
        for p in range(24)
    ]
    assert fmean(raw[24:]) > 1.5 * fmean(raw[:24]), "the gate seems to make it less diverse"
    assert not base.metrics["jaccard"].change.clear
    gap = base.gap["jaccard"]
    assert not gap.before.clear
    assert (gap.share.value, gap.share.ci) == (None, None)
    assert gap.share.reason == "no share: the difference cannot be told from 0"


@needs_paper_data
def test_the_share_of_the_papers_data_is_length(store: Store) -> None:
    """By their raw difference, "15% [8%, 22%] of the difference is bad responses that are gone"."""
    dataset = next(path for path in datasets(OVERTON) if path.name == "LIMA-OE")
    session = save_import(store, read_dataset(dataset)).session
    names = ("llama-2-base", "llama-2-chat")
    table = quality_gate(
        SessionResponses(store, session, names), read_qualities(store, session), ("jaccard",), WORKBENCH, None,
        frozenset(), "llama-2-chat", Uncertainty(resamples=500),
    )  # fmt: skip
    gap = table.conditions["llama-2-base"].gap["jaccard"]
    assert (gap.before.n, gap.after.n) == (38, 38)
    assert gap.before.value == pytest.approx(-0.009, abs=0.007), "one standard error"
    assert gap.after.value == pytest.approx(0.011, abs=0.0125)
    assert gap.share.value is None


def test_without_judgments_there_is_a_reason(store: Store) -> None:
    fill(store)
    table = gate(store)
    assert table.conditions == {}
    assert "alignbench judge" in table.reason
