"""Judgments: what is stored is what comes back, an item is judged once, a pair is not the sample alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.errors import InputError
from alignbench.spec import Condition, Prompt
from alignbench.store import Judgment, Store
from tests.support.samples import ALIGNED, result

QUALITY = Judgment(
    kind="quality",
    judge="demo-smollm2",
    template_hash="t1",
    sample_id=1,
    reference_sample_id=None,
    status="valid",
    fields={"helpfulness": 4, "factuality": None},
    reason="N/A: factuality",
    reply='{"helpfulness": 4, "factuality": "N/A"}',
)


@pytest.fixture
def pair(store: Store, session: int, cell: int) -> tuple[int, int]:
    """A sample of the base model and one of the reference, to the same prompt."""
    other = store.add_cell(session, Prompt("q1", "Why diaries?", "house"), Condition.zero_shot(ALIGNED), 5)
    return store.add_sample(cell, result(0, "base")).id, store.add_sample(other, result(2, "aligned")).id


def test_a_judgment_comes_back_with_what_it_belongs_to(store: Store, session: int, pair: tuple[int, int]) -> None:
    base, aligned = pair
    hostile = replace(QUALITY, sample_id=base, reply="\x1b[31m \ud800 NUL \x00", reason="half \udfff")
    against = replace(QUALITY, kind="topics", sample_id=base, reference_sample_id=aligned, flipped=True, fields={})
    store.add_judgments(session, [hostile, against])
    first, second = store.judgments(session)
    assert first.judgment == hostile
    assert (first.prompt_id, first.condition, first.sample) == ("q1", "demo-base", 0)
    assert (first.reference, first.reference_sample) == (None, None)
    assert second.judgment == against
    assert (second.reference, second.reference_sample) == ("demo-smollm2", 2)


def test_an_item_is_one_row_for_each_kind_judge_and_template(store: Store, session: int, pair: tuple[int, int]) -> None:
    base, aligned = pair
    first = replace(QUALITY, sample_id=base)
    better = replace(first, fields={"helpfulness": 5})
    others = [
        replace(first, reference_sample_id=aligned),
        replace(first, judge="another"),
        replace(first, template_hash="t2"),
        replace(first, kind="stance"),
    ]
    store.add_judgments(session, [first])
    store.add_judgments(session, [better, *others])
    assert [row.judgment for row in store.judgments(session)] == [better, *others]
    assert store.judged(session, "quality", "demo-smollm2", "t1") == {(base, None), (base, aligned)}
    assert store.judges(session, "quality") == ["demo-smollm2", "another"]
    assert [row.judgment for row in store.judgments(session, kind="quality", judge="another")] == [others[1]]


def test_more_judgments_than_a_page(store: Store, session: int, pair: tuple[int, int]) -> None:
    many = [replace(QUALITY, sample_id=pair[0], template_hash=f"t{i}") for i in range(2500)]
    store.add_judgments(session, many)
    assert [row.judgment.template_hash for row in store.judgments(session)] == [m.template_hash for m in many]


def test_a_sample_of_another_session_is_refused_with_all_that_came_along(
    store: Store, session: int, pair: tuple[int, int]
) -> None:
    elsewhere = store.create_session("second")
    good = replace(QUALITY, sample_id=pair[0])
    for foreign in (replace(QUALITY, sample_id=999), replace(good, kind="topics", reference_sample_id=999)):
        with pytest.raises(InputError, match=r"no sample 999"):
            store.add_judgments(session, [good, foreign])
    with pytest.raises(InputError, match="has no sample"):
        store.add_judgments(elsewhere, [good])
    assert list(store.judgments(session)) == []


def test_judgments_go_with_their_session(store: Store, session: int, pair: tuple[int, int]) -> None:
    store.add_judgments(session, [replace(QUALITY, sample_id=pair[0])])
    store.delete_session(session)
    assert store.db["judgments"].count == 0
