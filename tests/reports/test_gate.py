"""The quality gate: what passes, and what that does to diversity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.judging.qualities import read_qualities
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.reports.gate import QualityGate, quality_gate
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store
from tests.support.judged import fill, judgment

ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")
BASE, ALIGNED = "demo-base", "demo-aligned"
TEXTS = {
    **{(p, BASE, 0): "sun moon star" for p in range(2)},
    **{(p, BASE, 1): "sun moon lake" for p in range(2)},
    **{(p, BASE, 2): "noise without end" for p in range(2)},
    **{(p, ALIGNED, i): "sun moon star" for p in range(2) for i in range(3)},
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


def gate(store: Store, threshold: float = 3.0) -> QualityGate:
    return quality_gate(
        SessionResponses(store, 1), read_qualities(store, 1), ("words", "jaccard", "self_bleu"), WORKBENCH, None,
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
    assert change.before.value == pytest.approx(1 / 6)
    assert change.after.value == pytest.approx(1 / 2)
    assert change.change.value == pytest.approx(1 / 3)
    gap = base.gap["jaccard"]
    assert gap.before.value == pytest.approx(1 / 6 - 1)
    assert gap.after.value == pytest.approx(1 / 2 - 1)
    assert gap.share.value == pytest.approx((1 / 3) / (5 / 6) * 1)
    assert "needs 20 prompts" in gap.share.reason


def test_a_gate_that_lets_all_pass_changes_nothing(store: Store) -> None:
    judge(store, noise=1)
    base = gate(store, threshold=1.0).conditions[BASE]
    assert base.passing == base.judged
    assert base.metrics["jaccard"].change.value == 0


def test_a_prompt_without_two_survivors_has_no_part(store: Store) -> None:
    judge(store, noise=1)
    base = gate(store, threshold=5.0).conditions[BASE]
    assert base.metrics["jaccard"].before.n == 2
    none = gate(store, threshold=5.5).conditions[BASE]
    assert none.passing == 0
    assert none.metrics["jaccard"].after == Estimate(None, None, 0, "no prompt has two responses that pass")


def test_without_judgments_there_is_a_reason(store: Store) -> None:
    fill(store)
    table = gate(store)
    assert table.conditions == {}
    assert "alignbench judge" in table.reason
