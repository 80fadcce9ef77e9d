"""Judgments of the prompt on the screen, as scores of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import Run
from alignbench.judging.plan import plan_judging
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Judgment, Store
from alignbench.tui.scores.judging import judge
from alignbench.tui.scores.snapshot import take
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.metric_rows import rows
from alignbench.tui.workbench.persistence import restore
from tests.support.app import ALIGNED, BASE
from tests.support.fakes import FakePool

JUDGE = Model("judge", "demo-smollm2", "aligned")
PROMPTS = [Prompt("p1", "Why?", "set"), Prompt("p2", "How?", "set")]
ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")
FIELDS: dict[str, list[dict[str, Any]]] = {  # of the first judgment, the second, ...
    "quality": [dict.fromkeys(ASPECTS, 2), dict.fromkeys(ASPECTS, 4)],
    "stance": [{"stance": "yes"}, {"stance": "no"}],
    "new-information": [{"score": 1}, {"score": 4}],
    "topics": [{"topics": [{"topic": "sleep", "in": "b", "helpfulness": 3}]}, {"topics": []}],
}
EXPECTED = {
    "quality": {"quality.depth": 3.0},
    "stance": {
        "stance.yes": 0.5,
        "stance.both": 0.0,
        "stance.distinct_per_prompt": 2.0,
        "stance.stance_entropy": 1.0,
        "stance.stance_coverage": 0.5,
        "stance.stance_union": 1.0,
        "stance.names_both": 0.0,
    },
    "new-information": {"new-information.score": 2.5},
    "topics": {"topics.b": 0.5, "topics.a": 0.0},
}


@pytest.mark.parametrize("kind", FIELDS)
def test_judgments_that_are_there_are_read_without_asking(tmp_path: Path, kind: str) -> None:
    db, pool = tmp_path / "x.db", FakePool()
    with Store.open(db) as store:
        session = store.create_session("s", reference="demo-aligned")
        conditions = [Condition.zero_shot(ALIGNED), Condition.zero_shot(BASE)]
        list(Run(make_plan(store, session, PROMPTS, conditions, 2), pool, store))
        plan = plan_judging(store, session, kind, JUDGE, reference="demo-aligned")
        fields = FIELDS[kind]
        judgments = [
            Judgment(
                kind=kind, judge=JUDGE.reference, template_hash=plan.template.hash, sample_id=item.sample_id,
                reference_sample_id=item.reference_sample_id, status="valid", fields=fields[item.sample % 2], reason="",
                reply="{}", flipped=item.flipped,
            )
            for item in plan.items
        ]  # fmt: skip
        store.add_judgments(session, judgments)
        bench, _ = restore(store, session)
    snapshot = take(bench, 0)
    asked = len(pool.requests)
    messages: list[str] = []
    scores = judge(kind, JUDGE, Backends(db, pool, None), snapshot, lambda doing, *_: messages.append(doing))  # type: ignore[arg-type]
    assert len(pool.requests) == asked, "nothing was missing"
    for metric, expected in EXPECTED[kind].items():
        values = scores.within[metric]
        assert values["demo-base"].value == expected, metric
        assert values["demo-base"].n == 2, "of this prompt only"
        if "reference" in values["demo-aligned"].reason:
            assert values["demo-aligned"].value is None
        else:
            assert values["demo-aligned"].value == expected
    assert scores.within.keys() == {row.metric.name for row in rows() if row.run == kind}
